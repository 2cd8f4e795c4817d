package conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The callee's language and this program's, as they are called, and the session's path. */
record Pair(Peer callee, Peer own, Path folder, String session) {
  String emptyFolder() throws IOException {
    return Files.createTempDirectory(folder, "meet").toString();
  }
}
