package org.sabir.internal;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/** For the error of a class that is not there: classes of that simple name in other packages. */
final class Similar {
  private static final int SHOWN_MAX = 5;
  private static final int LOOKED_AT_MAX = 100_000;

  private Similar() {}

  static List<String> classes(List<String> entries, String simpleName) {
    List<String> found = new ArrayList<>();
    String file = simpleName + ".class";
    for (String entry : entries) {
      if (found.size() >= SHOWN_MAX) {
        break;
      }
      try {
        if (new File(entry).isDirectory()) {
          inFolder(Path.of(entry), file, found);
        } else if (entry.endsWith(".jar")) {
          inJar(entry, file, found);
        }
      } catch (IOException unreadable) {
        // then it has nothing to offer
      }
    }
    return found;
  }

  private static void inFolder(Path folder, String file, List<String> found) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      paths.limit(LOOKED_AT_MAX)
          .filter(path -> path.getFileName().toString().equals(file))
          .limit(SHOWN_MAX)
          .forEach(path -> found.add(className(folder.relativize(path).toString())));
    }
  }

  private static void inJar(String jar, String file, List<String> found) throws IOException {
    try (JarFile open = new JarFile(jar)) {
      for (Enumeration<JarEntry> entries = open.entries(); entries.hasMoreElements();) {
        String name = entries.nextElement().getName();
        if (name.endsWith("/" + file) || name.equals(file)) {
          found.add(className(name));
        }
      }
    }
  }

  private static String className(String file) {
    return file.substring(0, file.length() - ".class".length()).replace('/', '.');
  }
}
