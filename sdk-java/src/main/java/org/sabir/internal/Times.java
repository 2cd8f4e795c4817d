package org.sabir.internal;

import java.time.Duration;
import org.sabir.InvalidArgumentException;

/** Durations as nanoseconds; below zero waits for ever. */
public final class Times {
  private Times() {}

  /** null: for ever. */
  public static long nanos(Duration timeout) {
    if (timeout == null) {
      return -1;
    }
    if (timeout.isNegative()) {
      throw new InvalidArgumentException("a timeout must be at least 0, or null for ever, not " + timeout);
    }
    try {
      return timeout.toNanos();
    } catch (ArithmeticException longerThanLives) {
      return -1;
    }
  }

  static long deadline(long timeoutNs) {
    return timeoutNs < 0 ? 0 : System.nanoTime() + timeoutNs;
  }

  static long left(long deadline, long timeoutNs) {
    return timeoutNs < 0 ? -1 : Math.max(0, deadline - System.nanoTime());
  }
}
