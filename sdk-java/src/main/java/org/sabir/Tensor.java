package org.sabir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.sabir.internal.Bytes;
import org.sabir.internal.Layout;
import org.sabir.internal.TensorArrays;

/**
 * Numbers with a shape, which every language reads: numpy's arrays in Python. A tensor that comes out of the store is
 * read where it lies, without a copy, and is read-only; it keeps its object alive until no buffer of it is left.
 */
public final class Tensor {
  private final DType dtype;
  private final long[] shape;
  private final long[] strides;
  private final Bytes bytes;

  private Tensor(DType dtype, long[] shape, long[] strides, Bytes bytes) {
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.bytes = bytes;
  }

  /** Items in C order over the bytes between the buffer's position and limit, little-endian; not copied. */
  public static Tensor of(DType dtype, ByteBuffer data, long... shape) {
    return of(dtype, shape.clone(), Layout.rowMajor(dtype.itemBytes(), shape), Bytes.of(data));
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(boolean[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(byte[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(short[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(int[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(long[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(float[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  /** A copy of the array; without a shape it has one dimension. */
  public static Tensor of(double[] data, long... shape) {
    return ofArray(data, data.length, shape);
  }

  private static Tensor ofArray(Object array, int length, long[] shape) {
    ByteBuffer data = TensorArrays.toBytes(array);
    return of(TensorArrays.typeOf(array), data, shape.length == 0 ? new long[] {length} : shape);
  }

  /** For the codec: takes everything as it is, after checking that no item lies outside of the bytes. */
  public static Tensor of(DType dtype, long[] shape, long[] strides, Bytes bytes) {
    Layout.check(dtype, shape, strides, bytes.size());
    return new Tensor(dtype, shape, strides, bytes);
  }

  public DType dtype() {
    return dtype;
  }

  public int dimensions() {
    return shape.length;
  }

  /** Lengths in items; none for a single item. */
  public long[] shape() {
    return shape.clone();
  }

  /** The way from an item to the next, in bytes, for each dimension. */
  public long[] strides() {
    return strides.clone();
  }

  /** How many items there are. */
  public long size() {
    return Layout.items(shape);
  }

  /** True if the items lie one after the other in C order (the last dimension is the fastest). */
  public boolean isContiguous() {
    return Layout.isRowMajor(dtype.itemBytes(), shape, strides);
  }

  /** True if the items lie one after the other in Fortran order (the first dimension is the fastest). */
  public boolean isFortranContiguous() {
    return Layout.isColumnMajor(dtype.itemBytes(), shape, strides);
  }

  /** For the codec. */
  public Bytes bytes() {
    return bytes;
  }

  /** The raw bytes, read-only and little-endian, not copied. For more than 2 GiB see {@link #buffer(long, int)}. */
  public ByteBuffer buffer() {
    if (bytes.size() > Integer.MAX_VALUE) {
      throw new InvalidArgumentException("this tensor has " + bytes.size()
          + " bytes, more than a ByteBuffer can hold: take slices, buffer(offset, size)");
    }
    return bytes.whole();
  }

  /** A part of the raw bytes, read-only and little-endian, not copied. */
  public ByteBuffer buffer(long offset, int size) {
    if (offset < 0 || size < 0 || offset > bytes.size() - size) {
      throw new IndexOutOfBoundsException("bytes " + offset + " to " + (offset + size) + " of " + bytes.size());
    }
    return bytes.slice(offset, size);
  }

  /** Where an item begins in the raw bytes. */
  public long offset(long... index) {
    if (index.length != shape.length) {
      throw new IndexOutOfBoundsException(index.length + " indices for " + shape.length + " dimensions");
    }
    long at = 0;
    for (int i = 0; i < index.length; ++i) {
      if (index[i] < 0 || index[i] >= shape[i]) {
        throw new IndexOutOfBoundsException("index " + index[i] + " of " + shape[i] + " in dimension " + i);
      }
      at += index[i] * strides[i];
    }
    return at;
  }

  /** An item of an integer type (or a bool: 0 or 1). */
  public long getLong(long... index) {
    return TensorArrays.readLong(dtype, item(index));
  }

  /** An item of a real type. */
  public double getDouble(long... index) {
    return TensorArrays.readDouble(dtype, item(index));
  }

  private ByteBuffer item(long[] index) {
    return bytes.slice(offset(index), dtype.itemBytes());
  }

  /** All items in C order as an array of the matching primitive type ({@code int[].class} for INT32): a copy. */
  public <A> A toArray(Class<A> type) {
    return type.cast(TensorArrays.toArray(contiguous(), type));
  }

  /** This tensor if it is contiguous, else a copy that is. */
  public Tensor contiguous() {
    if (isContiguous()) {
      return this;
    }
    ByteBuffer copy = Layout.copyRowMajor(bytes, dtype.itemBytes(), shape, strides);
    return of(dtype, copy, shape);
  }

  /** Equal type, shape and items, in whatever order they lie. */
  @Override
  public boolean equals(Object other) {
    if (!(other instanceof Tensor that) || dtype != that.dtype || !Arrays.equals(shape, that.shape)) {
      return false;
    }
    return Layout.sameBytes(contiguous().bytes, that.contiguous().bytes);
  }

  @Override
  public int hashCode() {
    return dtype.hashCode() * 31 + Arrays.hashCode(shape);
  }

  @Override
  public String toString() {
    return "Tensor(" + dtype + ", shape " + Arrays.toString(shape) + ")";
  }

  /** A new buffer outside of Java's heap for this many items, little-endian: fill it, then make a tensor of it. */
  public static ByteBuffer allocate(DType dtype, long... shape) {
    long size = Math.multiplyExact(Layout.items(shape), (long) dtype.itemBytes());
    return ByteBuffer.allocateDirect(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
