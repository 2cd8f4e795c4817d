package org.sabir.internal;

import java.util.HashMap;
import java.util.Map;

/**
 * Large objects of the store that buffers of this process keep in memory. The collector sees small buffers and no
 * reason to hurry; the store meanwhile has to take fresh memory, which is ten times slower to write than what was given
 * back. So a worker collects when they have doubled since the last time. A driver's heap may be large and is its
 * user's: it collects only when the store is full (Notices).
 */
final class Pinned {
  static final long LARGE_BYTES = 1L << 20;
  private static final long LIMIT_BYTES_MIN = 128L << 20;

  private static final Map<Long, Integer> VIEWS = new HashMap<>(); // by address: an object is counted once
  private static long bytes;
  private static long limitBytes = LIMIT_BYTES_MIN;
  private static volatile boolean collects;

  private Pinned() {}

  /** This process is a worker. */
  static void collectWhenDoubled() {
    collects = true;
  }

  static void add(long address, long size) {
    boolean due = false;
    synchronized (VIEWS) {
      if (VIEWS.merge(address, 1, Integer::sum) == 1) {
        bytes += size;
        due = collects && bytes > limitBytes;
        limitBytes = due ? 2 * bytes : limitBytes; // lowered again by what is then released
      }
    }
    if (due) {
      System.gc();
    }
  }

  static void remove(long address, long size) {
    synchronized (VIEWS) {
      if (VIEWS.merge(address, -1, (views, minus) -> views + minus == 0 ? null : views + minus) == null) {
        bytes -= size;
        limitBytes = Math.max(LIMIT_BYTES_MIN, Math.min(limitBytes, 2 * bytes));
      }
    }
  }
}
