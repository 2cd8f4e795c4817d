package org.sabir.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Class-data sharing: an archive of the SDK's classes as a JVM has them in memory, made once per jar and JVM, from
 * which workers start quickly and which they share. A missing archive is no error: the JVM then loads classes as usual.
 */
public final class SharedClasses {
  private static final long DUMP_TIMEOUT_S = 60;

  private SharedClasses() {}

  private static Path archive() {
    try {
      Path jar = Path.of(Launch.ownClassPath());
      if (!Files.isRegularFile(jar) || System.getProperty("sabir.classes.archive", "").equals("off")) {
        return null; // folders cannot be archived
      }
      // The JVM compares path, size and time itself, and ignores an archive of others.
      String key = jar + "|" + Files.size(jar) + "|" + Files.getLastModifiedTime(jar).toMillis() + "|"
          + System.getProperty("java.vm.version") + "|" + System.getProperty("java.home");
      return NativeLibrary.cache().resolve("classes-" + Long.toHexString(hash(key)) + ".jsa");
    } catch (IOException | RuntimeException unusual) {
      return null;
    }
  }

  private static long hash(String text) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : Texts.utf8(text)) {
      hash = (hash ^ b & 0xff) * 0x100000001b3L;
    }
    return hash;
  }

  static List<String> workerFlags() {
    Path archive = archive();
    if (archive == null) {
      return List.of("-Xshare:auto");
    }
    // Without the log options a JVM says on its output that the archive is not there yet.
    return List.of("-XX:SharedArchiveFile=" + archive, "-Xshare:auto", "-Xlog:cds=off", "-Xlog:cds+dynamic=off");
  }

  /** Has the archive made, beside the program, if there is none. Of several processes one does. */
  static void prepare() {
    Path archive = archive();
    if (archive == null || Files.exists(archive)) {
      return;
    }
    Thread thread = new Thread(() -> make(archive), "sabir-share-classes");
    thread.setDaemon(true);
    thread.setPriority(Thread.MIN_PRIORITY);
    thread.start();
  }

  private static void make(Path archive) {
    Path lockFile = archive.resolveSibling(archive.getFileName() + ".lock");
    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
         FileLock lock = channel.tryLock()) {
      if (lock != null && !Files.exists(archive)) {
        dump(archive);
      }
    } catch (IOException notThisTime) {
      // it stays as slow as it was
    } catch (OverlappingFileLockException another) {
      // a thread of this process, for an earlier session
    }
  }

  // Of processes that were killed at it.
  private static void deleteLeftovers(Path archive) throws IOException {
    try (
        DirectoryStream<Path> files = Files.newDirectoryStream(archive.getParent(), archive.getFileName() + ".*.new")) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static void dump(Path archive) {
    Path fresh = archive.resolveSibling(archive.getFileName() + "." + ProcessHandle.current().pid() + ".new");
    try {
      deleteLeftovers(archive);
      List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-XX:ArchiveClassesAtExit=" + fresh, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xlog:disable",
          "-Dsabir.native.dir=" + NativeLibrary.folder(), "-cp", Launch.ownClassPath(), "org.sabir.worker.Main",
          "--touch-classes"));
      Process process =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
      try {
        if (process.waitFor(DUMP_TIMEOUT_S, TimeUnit.SECONDS) && process.exitValue() == 0 && Files.exists(fresh)) {
          Files.move(fresh, archive, StandardCopyOption.ATOMIC_MOVE);
        }
      } finally {
        process.destroyForcibly();
        Files.deleteIfExists(fresh);
      }
    } catch (IOException | RuntimeException notThisTime) {
      // it stays as slow as it was
    } catch (InterruptedException never) {
      Thread.currentThread().interrupt();
    }
  }
}
