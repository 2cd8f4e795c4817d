package org.sabir.session;

import java.util.ArrayList;
import java.util.List;
import org.sabir.ObjectRef;
import org.sabir.Sabir;

/** Tasks that do not end well. */
final class Failing {
  private Failing() {}

  static final class NotSendable extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Object lock = new Thread();

    NotSendable() {
      super("with a field that cannot be sent");
    }

    Object lock() {
      return lock;
    }
  }

  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message today");
    }

    @Override
    public String toString() {
      throw new IllegalStateException("nor a text");
    }
  }

  static int withCause(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException error) {
      throw new IllegalStateException("cannot count " + text, error);
    }
  }

  static int outer(String text) {
    return Sabir.task(Failing::withCause, text).remote().get();
  }

  static int notSendable() {
    throw new NotSendable();
  }

  static int broken() {
    throw new Broken();
  }

  static int recursion(int depth) {
    return recursion(depth + 1) + 1;
  }

  static int memory() {
    List<long[]> all = new ArrayList<>();
    for (;;) {
      all.add(new long[1 << 24]);
    }
  }

  static int exit() {
    System.exit(3);
    return 0;
  }

  static int halt() {
    Runtime.getRuntime().halt(4);
    return 0;
  }

  static int checked() throws Exception {
    throw new java.io.IOException("checked");
  }

  static int untilThird(String file) throws java.io.IOException {
    java.nio.file.Path path = java.nio.file.Path.of(file);
    String tries = java.nio.file.Files.readString(path) + "x";
    java.nio.file.Files.writeString(path, tries);
    if (tries.length() < 3) {
      throw new IllegalStateException("not yet");
    }
    return tries.length();
  }

  static int use(ObjectRef<Integer> unused) {
    return 1;
  }
}
