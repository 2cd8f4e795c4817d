package org.sabir.internal;

/** The tags of plain values (docs/values.md). */
final class PlainTag {
  static final int DEPTH_MAX = 64;
  static final int NO_OFFSET = Integer.MIN_VALUE;

  static final byte NULL = 'N';
  static final byte TRUE = 'T';
  static final byte FALSE = 'F';
  static final byte INT8 = 'i';
  static final byte INT64 = 'I';
  static final byte UINT64 = 'U';
  static final byte BIG_INTEGER = 'n';
  static final byte FLOAT64 = 'f';
  static final byte FLOAT32 = 'e';
  static final byte TEXT = 's';
  static final byte BYTES = 'b';
  static final byte LIST = 'l';
  static final byte TUPLE = 't';
  static final byte MAP = 'd';
  static final byte REFERENCE = 'r';
  static final byte ACTOR = 'h';
  static final byte TIMESTAMP = 'D';
  static final byte TENSOR = 'a';

  private PlainTag() {}
}
