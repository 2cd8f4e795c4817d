package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sabir.DType;
import org.sabir.SerializationException;

/** Shapes and strides: which bytes belong to a tensor. All sums are checked, since they come from the wire. */
public final class Layout {
  public static final int DIMENSIONS_MAX = 32;
  private static final int COMPARE_BYTES = 1 << 20;

  private Layout() {}

  /** The product of the lengths; SerializationException if it is none or more than a long can hold. */
  public static long items(long[] shape) {
    long items = 1;
    for (long length : shape) {
      if (length < 0) {
        throw new SerializationException("malformed tensor: a length of " + Long.toUnsignedString(length));
      }
      if (length == 0) {
        return 0;
      }
    }
    try {
      for (long length : shape) {
        items = Math.multiplyExact(items, length);
      }
    } catch (ArithmeticException overflow) {
      throw new SerializationException("malformed tensor: more items than there can be");
    }
    return items;
  }

  /** Strides of items one after the other in C order. A length of 0 counts as 1. */
  public static long[] rowMajor(int itemBytes, long[] shape) {
    return strides(itemBytes, shape, false);
  }

  private static long[] strides(int itemBytes, long[] shape, boolean fortran) {
    long[] strides = new long[shape.length];
    long stride = itemBytes;
    for (int i = 0; i < shape.length; ++i) {
      int at = fortran ? i : shape.length - 1 - i;
      strides[at] = stride;
      stride *= Math.max(shape[at], 1); // items() refuses what overflows
    }
    return strides;
  }

  public static boolean isRowMajor(int itemBytes, long[] shape, long[] strides) {
    return isPacked(itemBytes, shape, strides, false);
  }

  public static boolean isColumnMajor(int itemBytes, long[] shape, long[] strides) {
    return isPacked(itemBytes, shape, strides, true);
  }

  private static boolean isPacked(int itemBytes, long[] shape, long[] strides, boolean fortran) {
    long[] packed = strides(itemBytes, shape, fortran);
    for (int i = 0; i < shape.length; ++i) {
      if (shape[i] == 0) {
        return true;
      }
    }
    for (int i = 0; i < shape.length; ++i) {
      if (shape[i] != 1 && strides[i] != packed[i]) {
        return false;
      }
    }
    return true;
  }

  /** Throws SerializationException unless every item lies inside of `size` bytes. */
  public static void check(DType type, long[] shape, long[] strides, long size) {
    if (shape.length > DIMENSIONS_MAX || strides.length != shape.length) {
      throw new SerializationException("malformed tensor: " + shape.length + " dimensions, at most " + DIMENSIONS_MAX);
    }
    if (items(shape) == 0) {
      return;
    }
    try {
      long last = 0;
      for (int i = 0; i < shape.length; ++i) {
        long way = Math.multiplyExact(shape[i] - 1, strides[i]);
        if (way < 0) {
          // The first item lies at the first byte: there is nothing before it.
          throw new SerializationException("malformed tensor: a negative stride leaves its bytes");
        }
        last = Math.addExact(last, way);
      }
      if (Math.addExact(last, type.itemBytes()) > size) {
        throw new SerializationException(
            "malformed tensor: its items take " + (last + type.itemBytes()) + " bytes, there are " + size);
      }
    } catch (ArithmeticException overflow) {
      throw new SerializationException("malformed tensor: its strides leave its bytes");
    }
  }

  /** A copy of the items in C order. */
  public static ByteBuffer copyRowMajor(Bytes bytes, int itemBytes, long[] shape, long[] strides) {
    long size = items(shape) > Integer.MAX_VALUE ? Long.MAX_VALUE : items(shape) * itemBytes;
    if (size > Integer.MAX_VALUE) {
      throw new SerializationException("a copy of this tensor is longer than a buffer: read its parts in place");
    }
    ByteBuffer out = ByteBuffer.allocateDirect((int) size).order(ByteOrder.LITTLE_ENDIAN);
    if (size > 0) {
      copy(bytes, itemBytes, shape, strides, 0, 0, out);
    }
    return out.flip();
  }

  private static void copy(
      Bytes bytes, int itemBytes, long[] shape, long[] strides, int dimension, long at, ByteBuffer out) {
    if (dimension == shape.length) {
      out.put(bytes.slice(at, itemBytes));
      return;
    }
    for (long i = 0; i < shape[dimension]; ++i) {
      copy(bytes, itemBytes, shape, strides, dimension + 1, at + i * strides[dimension], out);
    }
  }

  public static boolean sameBytes(Bytes a, Bytes b) {
    if (a.size() != b.size()) {
      return false;
    }
    for (long at = 0; at < a.size(); at += COMPARE_BYTES) {
      int part = (int) Math.min(COMPARE_BYTES, a.size() - at);
      if (!a.slice(at, part).equals(b.slice(at, part))) {
        return false;
      }
    }
    return true;
  }
}
