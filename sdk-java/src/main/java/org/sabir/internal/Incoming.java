package org.sabir.internal;

/**
 * A value that was received (sabir_view).
 *
 * @param language of a native value
 * @param data must stay as it is: what is made of it may refer to it
 */
public record Incoming(
    int encoding, int language, int variant, boolean isError, Bytes data, ReferenceTable references) {
  /** A value of bytes in Java's heap, without references. */
  static Incoming of(int encoding, int variant, byte[] data) {
    return new Incoming(encoding, org.sabir.Language.JAVA.code(), variant, false, Bytes.of(data), ReferenceTable.EMPTY);
  }
}
