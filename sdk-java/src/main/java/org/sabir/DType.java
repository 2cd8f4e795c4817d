package org.sabir;

/** The type of a tensor's items. */
public enum DType {
  /** One byte each: 0 or 1. */
  BOOL(1, 1),
  INT8(2, 1),
  INT16(3, 2),
  INT32(4, 4),
  INT64(5, 8),
  UINT8(6, 1),
  UINT16(7, 2),
  UINT32(8, 4),
  UINT64(9, 8),
  /** IEEE 754 of two bytes: Java has no type for it, so it is read as raw bits. */
  FLOAT16(10, 2),
  /** The upper half of a float: read as raw bits. */
  BFLOAT16(11, 2),
  FLOAT32(12, 4),
  FLOAT64(13, 8),
  /** Two floats: real and imaginary part. */
  COMPLEX64(14, 8),
  /** Two doubles: real and imaginary part. */
  COMPLEX128(15, 16);

  private static final DType[] BY_CODE = new DType[16];

  static {
    for (DType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;
  private final int itemBytes;

  DType(int code, int itemBytes) {
    this.code = code;
    this.itemBytes = itemBytes;
  }

  /** Its number in a value's bytes. */
  public int code() {
    return code;
  }

  /** Bytes of one item. */
  public int itemBytes() {
    return itemBytes;
  }

  /** The type with this number, or null. */
  public static DType of(int code) {
    return code > 0 && code < BY_CODE.length ? BY_CODE[code] : null;
  }
}
