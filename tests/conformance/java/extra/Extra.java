package conformance.extra;

/** Not on the code path of the job. */
public final class Extra {
  private Extra() {}

  public static String extra() {
    return "found";
  }
}
