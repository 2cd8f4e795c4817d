package org.sabir.internal;

import java.math.BigInteger;

/** Integers of any size. */
final class Numbers {
  private Numbers() {}

  /** The bits as an unsigned number: Long if it fits, else BigInteger. */
  static Object unsigned(long bits) {
    return bits >= 0 ? (Object) bits : new BigInteger(Long.toUnsignedString(bits));
  }

  static Object smallest(BigInteger number) {
    return number.bitLength() < 64 ? (Object) number.longValue() : number;
  }
}
