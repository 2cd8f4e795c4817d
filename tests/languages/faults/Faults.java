import java.util.ArrayList;
import java.util.List;

/** Java code that does not end well: static methods, and an actor with the same. */
public class Faults {
  public static long add(long a, long b) {
    return a + b;
  }

  /** Its class cannot be used. */
  static final class Initializer {
    static final int VALUE = Integer.parseInt("no number");

    static int call() {
      return VALUE;
    }
  }

  /** Compiled with the tests, and not there when they run. */
  static final class Missing { int value = 1; }

  static final class NeedsMissing {
    static int call() {
      return new Missing().value;
    }
  }

  static final class SignatureNeedsMissing {
    static Missing other() {
      return null;
    }

    static int call() {
      return 1;
    }
  }

  static class Unpleasant extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unpleasant() {
      throw new IllegalStateException("not even made");
    }
  }

  static class Silent extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final Object notSendable = new Thread();

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message");
    }

    @Override
    public String toString() {
      throw new IllegalStateException("no text");
    }

    @Override
    public synchronized Throwable getCause() {
      throw new IllegalStateException("no cause");
    }

    @Override
    public StackTraceElement[] getStackTrace() {
      throw new IllegalStateException("no stack");
    }
  }

  static class Unreadable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unreadable() {
      super("cannot be read again");
    }

    private void readObject(java.io.ObjectInputStream in) {
      throw new IllegalStateException("not here");
    }
  }

  private static int depth(int levels) {
    return depth(levels + 1) + 1;
  }

  public static Object fail(String how) {
    switch (how) {
      case "constructor":
        throw new Unpleasant();
      case "silent":
        throw new Silent();
      case "unreadable":
        throw new Unreadable();
      case "stack":
        return depth(0);
      case "memory":
        List<long[]> all = new ArrayList<>();
        for (;;) {
          all.add(new long[1 << 23]);
        }
      case "exit":
        System.exit(3);
        return null;
      case "huge":
        throw new IllegalStateException("begin"
            + "x".repeat(64 << 20) + "end");
      case "surrogate message":
        throw new IllegalStateException("half \ud800 of a pair");
      case "surrogate":
        return List.of("ok", "half \ud800 of a pair");
      default:
        throw new IllegalArgumentException(how);
    }
  }

  /** An actor's method. */
  public Object failing(String how) {
    return fail(how);
  }

  public static String repeated(String text, long times) {
    return text.repeat((int) times);
  }

  public static long length(String text) {
    return text.length();
  }
}
