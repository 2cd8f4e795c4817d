/** An actor. */
public final class Counter {
  private long value;

  public Counter(long start) {
    value = start;
  }

  public long add(long amount) {
    value += amount;
    return value;
  }
}
