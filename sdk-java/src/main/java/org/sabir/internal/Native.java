package org.sabir.internal;

import java.nio.ByteBuffer;

/** The native half. */
final class Native {
  private Native() {}

  static long addressOf(ByteBuffer direct) {
    throw new UnsupportedOperationException();
  }
}
