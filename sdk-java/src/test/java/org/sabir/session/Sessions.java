package org.sabir.session;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;

/** One session of two CPUs for all tests of this JVM: workers are dear to start. */
final class Sessions {
  /** Made when it is wanted: a test of its own sessions does not. */
  private static final class Shared {
    static final Session SESSION = Sabir.init(
        options().workerJvmOptions("-Xmx200m").codeSearchPath(System.getProperty("sabir.test.library")).build());
  }

  private Sessions() {}

  /** Short paths, since those of Unix sockets are bounded. */
  static SabirOptions.Builder options() {
    try {
      Path root = Files.createTempDirectory(Path.of("/tmp"), "sabir-java-");
      root.toFile().deleteOnExit();
      return SabirOptions.builder().address("local").numCpus(2).objectStoreBytes(512 << 20).sessionRoot(
          root.toString());
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  static Session shared() {
    return Shared.SESSION;
  }
}
