package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sabir.DType;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Between tensors and Java's arrays of primitives. */
public final class TensorArrays {
  private TensorArrays() {}

  /** The type of the array's items as a tensor's; null for what is no array of numbers. */
  public static DType typeOf(Object array) {
    if (array instanceof int[]) {
      return DType.INT32;
    } else if (array instanceof double[]) {
      return DType.FLOAT64;
    } else if (array instanceof long[]) {
      return DType.INT64;
    } else if (array instanceof float[]) {
      return DType.FLOAT32;
    } else if (array instanceof byte[]) {
      return DType.INT8;
    } else if (array instanceof short[]) {
      return DType.INT16;
    } else if (array instanceof boolean[]) {
      return DType.BOOL;
    }
    return null;
  }

  /** The items outside of Java's heap, where native code can read them without another copy. */
  public static ByteBuffer toBytes(Object array) {
    if (array instanceof int[] items) {
      ByteBuffer out = room(items.length, 4);
      out.asIntBuffer().put(items);
      return out;
    } else if (array instanceof double[] items) {
      ByteBuffer out = room(items.length, 8);
      out.asDoubleBuffer().put(items);
      return out;
    } else if (array instanceof long[] items) {
      ByteBuffer out = room(items.length, 8);
      out.asLongBuffer().put(items);
      return out;
    } else if (array instanceof float[] items) {
      ByteBuffer out = room(items.length, 4);
      out.asFloatBuffer().put(items);
      return out;
    } else if (array instanceof byte[] items) {
      return room(items.length, 1).put(items).flip();
    } else if (array instanceof short[] items) {
      ByteBuffer out = room(items.length, 2);
      out.asShortBuffer().put(items);
      return out;
    } else if (array instanceof boolean[] items) {
      ByteBuffer out = room(items.length, 1);
      for (boolean item : items) {
        out.put((byte) (item ? 1 : 0));
      }
      return out.flip();
    }
    throw new IllegalArgumentException("no array of numbers: " + array.getClass());
  }

  private static ByteBuffer room(int items, int itemBytes) {
    // Small ones stay in the heap: memory outside of it is dear to allocate.
    long size = (long) items * itemBytes;
    if (size > Integer.MAX_VALUE) {
      throw new SerializationException(
          "an array of " + size + " bytes is longer than a buffer: send it in parts, or as several tensors");
    }
    ByteBuffer room = size < 4096 ? ByteBuffer.allocate((int) size) : ByteBuffer.allocateDirect((int) size);
    return room.order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The items of a contiguous tensor as an array of this type, which must match the tensor's. */
  public static Object toArray(Tensor tensor, Class<?> type) {
    long items = tensor.size();
    if (items > Integer.MAX_VALUE - 8) {
      throw new SerializationException(tensor + " has more items than an array can have: read its buffers");
    }
    int size = (int) items;
    DType dtype = tensor.dtype();
    ByteBuffer data = tensor.bytes().slice(0, Math.toIntExact(items * dtype.itemBytes()));
    if (type == int[].class && (dtype == DType.INT32 || dtype == DType.UINT32)) {
      int[] out = new int[size];
      data.asIntBuffer().get(out);
      return out;
    } else if (type == long[].class && (dtype == DType.INT64 || dtype == DType.UINT64)) {
      long[] out = new long[size];
      data.asLongBuffer().get(out);
      return out;
    } else if (type == double[].class&& dtype == DType.FLOAT64) {
      double[] out = new double[size];
      data.asDoubleBuffer().get(out);
      return out;
    } else if (type == float[].class&& dtype == DType.FLOAT32) {
      float[] out = new float[size];
      data.asFloatBuffer().get(out);
      return out;
    } else if (type == byte[].class && (dtype == DType.INT8 || dtype == DType.UINT8)) {
      byte[] out = new byte[size];
      data.get(out);
      return out;
    } else if (type == short[].class&& dtype.itemBytes() == 2) {
      short[] out = new short[size];
      data.asShortBuffer().get(out);
      return out;
    } else if (type == boolean[].class && dtype == DType.BOOL) {
      boolean[] out = new boolean[size];
      for (int i = 0; i < size; ++i) {
        out[i] = data.get(i) != 0;
      }
      return out;
    }
    throw new SerializationException(tensor + " cannot be read as " + type.getSimpleName());
  }

  public static long readLong(DType type, ByteBuffer item) {
    switch (type) {
      case BOOL:
        return item.get(0) != 0 ? 1 : 0;
      case INT8:
        return item.get(0);
      case UINT8:
        return item.get(0) & 0xff;
      case INT16:
        return item.getShort(0);
      case UINT16:
        return item.getShort(0) & 0xffff;
      case INT32:
        return item.getInt(0);
      case UINT32:
        return item.getInt(0) & 0xffffffffL;
      case INT64:
      case UINT64:
        return item.getLong(0);
      default:
        throw new SerializationException("an item of type " + type + " is no integer");
    }
  }

  public static double readDouble(DType type, ByteBuffer item) {
    switch (type) {
      case FLOAT32:
        return item.getFloat(0);
      case FLOAT64:
        return item.getDouble(0);
      case BFLOAT16:
        return Float.intBitsToFloat(item.getShort(0) << 16);
      case FLOAT16:
        return half(item.getShort(0));
      case COMPLEX64:
      case COMPLEX128:
        throw new SerializationException("an item of type " + type + " is no real number: read the buffer");
      case UINT64:
        long bits = item.getLong(0);
        return bits >= 0 ? bits : (bits >>> 1 | bits & 1) * 2.0;
      default:
        return readLong(type, item);
    }
  }

  private static float half(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    float magnitude;
    if (exponent == 0x1f) {
      magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
    } else if (exponent == 0) {
      magnitude = fraction * 0x1p-24f;
    } else {
      magnitude = (fraction + 0x400) * Math.scalb(1f, exponent - 25);
    }
    return bits < 0 ? -magnitude : magnitude;
  }
}
