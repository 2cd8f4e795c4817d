/** What the Go tests call in Java. */
public final class Called {
  private Called() {}

  public static Object same(Object value) {
    return value;
  }

  public static long minus(long a, long b) {
    return a - b;
  }

  public static long fail(String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException error) {
      throw new IllegalStateException("cannot count " + text, error);
    }
  }
}
