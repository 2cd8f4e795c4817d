package org.sabir.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.sabir.SabirSystemException;

/**
 * Finds the native files: in the folder that the property sabir.native.dir names, else inside the jar. Those of the jar
 * are unpacked once per machine and user, into a folder that is named by their content.
 */
public final class NativeLibrary {
  private static final String RESOURCES = "/org/sabir/native/linux-x86_64/";
  private static final List<String> FILES = List.of("libsabir.so", "libsabir_jni.so", "sabird", "sabir-cpp-worker");
  private static Path folder;

  private NativeLibrary() {}

  /** Loads both libraries; SabirSystemException says why not. Called once, by Native's initializer. */
  static synchronized void load() {
    // The first one is what the second one needs; by then the loader knows it by name.
    for (String name : FILES.subList(0, 2)) {
      Path file = folder().resolve(name);
      try {
        System.load(file.toString());
      } catch (UnsatisfiedLinkError wrong) {
        throw new SabirSystemException("cannot load " + file + ": " + wrong.getMessage(), wrong);
      }
    }
  }

  /** Where the files lie: the libraries, the daemon, the worker for C++. */
  public static synchronized Path folder() {
    if (folder == null) {
      String given = System.getProperty("sabir.native.dir", System.getenv("SABIR_NATIVE_DIR"));
      try {
        folder = given != null ? Path.of(given).toAbsolutePath() : unpacked();
      } catch (IOException failed) {
        throw new SabirSystemException("cannot unpack Sabir's native files: " + failed, failed);
      }
    }
    return folder;
  }

  /** The folder for what is made once: sabir.cache.dir, the user's cache, else one for temporary files. */
  static Path cache() throws IOException {
    String chosen = System.getProperty("sabir.cache.dir");
    if (chosen != null) {
      return Files.createDirectories(Path.of(chosen));
    }
    String given = System.getenv("XDG_CACHE_HOME");
    Path base = given != null && !given.isEmpty() ? Path.of(given)
        : System.getenv("HOME") != null           ? Path.of(System.getenv("HOME"), ".cache")
                                                  : null;
    if (base != null) {
      try {
        return Files.createDirectories(base.resolve("sabir").resolve("java"));
      } catch (IOException notWritable) {
        // the other one, then
      }
    }
    Path own = Path.of(System.getProperty("java.io.tmpdir"), "sabir-java-" + System.getProperty("user.name"));
    try {
      Files.createDirectory(own, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (FileAlreadyExistsException before) {
      // Others can make folders there, too, and what is loaded from this one runs as this user.
      if (!Files.isDirectory(own, java.nio.file.LinkOption.NOFOLLOW_LINKS)
          || !Files.getOwner(own).getName().equals(System.getProperty("user.name"))) {
        throw new IOException(own + " belongs to another user");
      }
    }
    return own;
  }

  private static Path unpacked() throws IOException {
    String digest;
    try (InputStream in = NativeLibrary.class.getResourceAsStream(RESOURCES + "DIGEST")) {
      if (in == null) {
        throw new IOException("there are none for this machine (linux-x86_64 only), and sabir.native.dir is not set");
      }
      digest = new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip();
    }
    Path target = cache().resolve("native-" + digest);
    if (isComplete(target)) {
      return target;
    }
    Path lockFile = target.resolveSibling(target.getFileName() + ".lock");
    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
         FileLock lock = channel.lock()) {
      if (!isComplete(target)) {
        unpack(target);
      }
    }
    return target;
  }

  private static boolean isComplete(Path target) {
    return Files.exists(target.resolve("DIGEST"));
  }

  private static void unpack(Path target) throws IOException {
    Files.createDirectories(target);
    for (String name : FILES) {
      write(target, name);
    }
    write(target, "DIGEST"); // the last one: it says that the others are there
  }

  private static void write(Path target, String name) throws IOException {
    Path fresh = target.resolve(name + ".new");
    try (InputStream in = NativeLibrary.class.getResourceAsStream(RESOURCES + name)) {
      if (in == null) {
        throw new IOException("the jar has no " + name);
      }
      Files.copy(in, fresh, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.move(fresh, target.resolve(name), StandardCopyOption.ATOMIC_MOVE);
  }
}
