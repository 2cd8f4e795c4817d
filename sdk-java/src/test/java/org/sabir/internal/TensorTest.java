package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.sabir.DType;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Tensors: their bytes, and bytes that are none. */
final class TensorTest {
  private static byte[] bytesOf(Object value) {
    Incoming written = Values.written(value);
    byte[] bytes = new byte[(int) written.data().size()];
    written.data().whole().get(bytes);
    return bytes;
  }

  @Test
  void headAndItemsLieAsDocumented() {
    byte[] expected = new byte[64 + 4];
    ByteBuffer out = ByteBuffer.wrap(expected).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 3).put((byte) 2).putShort((short) 0).putInt(64).putLong(4);
    out.putLong(2).putLong(1).putLong(2).putLong(2);
    out.position(64).putShort((short) 7).putShort((short) -1);
    assertArrayEquals(expected, bytesOf(Tensor.of(new short[] {7, -1}, 2, 1)));
    Tensor read = (Tensor) Values.read(Encoded.TENSOR, 0, expected);
    assertEquals(DType.INT16, read.dtype());
    assertArrayEquals(new long[] {2, 1}, read.shape());
    assertArrayEquals(new short[] {7, -1}, read.toArray(short[].class));
    assertTrue(read.buffer().isReadOnly());
  }

  @Test
  void arraysOfEveryPrimitiveTypeComeBack() {
    for (Object array : List.of(new boolean[] {true, false}, new short[] {-5}, new int[] {1 << 30},
             new long[] {-1L << 40}, new float[] {0.5f, Float.NaN}, new double[0], new double[] {Double.MIN_VALUE})) {
      Tensor tensor = (Tensor) Values.roundTrip(array);
      assertEquals(List.of(array).toString().charAt(0), '[');
      Object back = Conversions.to(tensor, array.getClass(), "the array");
      assertTrue(Arrays.deepEquals(new Object[] {array}, new Object[] {back}), array.getClass().toString());
    }
  }

  @Test
  void ofNoDimensionsItIsOneItem() {
    Tensor scalar =
        Tensor.of(DType.FLOAT64, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(2.5).flip());
    Tensor read = (Tensor) Values.roundTrip(scalar);
    assertEquals(0, read.dimensions());
    assertEquals(2.5, read.getDouble());
  }

  @Test
  void fortranOrderIsKeptAndOtherOrdersAreCopied() {
    Bytes six = Tensor.of(new int[] {0, 1, 2, 3, 4, 5}).bytes();
    Tensor fortran = Tensor.of(DType.INT32, new long[] {2, 3}, new long[] {4, 8}, six);
    Tensor read = (Tensor) Values.roundTrip(fortran);
    assertArrayEquals(new long[] {4, 8}, read.strides());
    assertArrayEquals(new int[] {0, 2, 4, 1, 3, 5}, read.toArray(int[].class));
    assertEquals(3, read.getLong(1, 1));
    Tensor everySecond = Tensor.of(DType.INT32, new long[] {3}, new long[] {8}, six);
    Tensor copied = (Tensor) Values.roundTrip(everySecond);
    assertTrue(copied.isContiguous());
    assertArrayEquals(new int[] {0, 2, 4}, copied.toArray(int[].class));
    assertEquals(everySecond, copied);
  }

  @Test
  void insideContainersTheirBytesLieBesideTheStream() {
    Tensor tensor = Tensor.of(new double[] {1, 2, 3});
    Incoming written = Values.written(Map.of("weights", tensor));
    assertEquals(Encoded.PLAIN_WITH_BUFFERS, written.variant());
    assertEquals(Map.of("weights", tensor), ValueReader.read(written));
    byte[] bytes = bytesOf(List.of(tensor, new int[] {9}));
    // 16 + 2 sizes + "l" with two tensors of one dimension; the first buffer at the next multiple of 64.
    assertEquals(16 + 16 + 5 + 2 * (1 + 8 + 16), ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0) + 32);
    assertEquals(1.0, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getDouble(128));
    assertEquals(128 + 64 + 4, bytes.length);
  }

  @Test
  void itemsOfAllWidthsAreRead() {
    ByteBuffer data = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    data.putLong(-2).putLong(0).flip();
    assertEquals(0xfe, Tensor.of(DType.UINT8, data, 16).getLong(0));
    assertEquals(0xfffe, Tensor.of(DType.UINT16, data, 8).getLong(0));
    assertEquals(0xfffffffeL, Tensor.of(DType.UINT32, data, 4).getLong(0));
    assertEquals(18446744073709551614.0, Tensor.of(DType.UINT64, data, 2).getDouble(0));
    data.putShort(0, (short) 0x3e00);
    assertEquals(1.5, Tensor.of(DType.FLOAT16, data, 8).getDouble(0));
    data.putShort(0, (short) 0x0001);
    assertEquals(0x1p-24, Tensor.of(DType.FLOAT16, data, 8).getDouble(0));
    data.putShort(0, (short) 0xbfc0);
    assertEquals(-1.5, Tensor.of(DType.BFLOAT16, data, 8).getDouble(0));
  }

  @ParameterizedTest
  @CsvSource({
      // items, dimensions, data offset, data bytes, length, stride
      "0, 1, 64, 8, 1, 8",
      "16, 1, 64, 8, 1, 8",
      "5, 33, 64, 8, 1, 8",
      "5, 1, 16, 8, 1, 8",
      "5, 1, 80, 8, 1, 8",
      "5, 1, 64, 9, 1, 8",
      "5, 1, 64, -1, 1, 8",
      "5, 1, 64, 8, 2, 8",
      "5, 1, 64, 8, -1, 8",
      "5, 1, 64, 8, 2, -8",
      "5, 1, 64, 8, 9223372036854775807, 9223372036854775807",
      "5, 1, 64, 8, 3, 4611686018427387904",
  })
  void
  malformed(int type, int dimensions, int dataOffset, long dataBytes, long length, long stride) {
    ByteBuffer out = ByteBuffer.allocate(72).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) type).put((byte) dimensions).putShort((short) 0).putInt(dataOffset).putLong(dataBytes);
    out.putLong(length).putLong(stride);
    SerializationException error =
        assertThrows(SerializationException.class, () -> Values.read(Encoded.TENSOR, 0, out.array()));
    assertTrue(error.getMessage().startsWith("malformed tensor"), error.getMessage());
  }

  @Test
  void stridesThatRepeatItemsAreFine() {
    Tensor repeated = Tensor.of(DType.INT8, new long[] {1000, 3}, new long[] {0, 1}, Bytes.of(new byte[] {1, 2, 3}));
    assertEquals(3, repeated.getLong(999, 2));
    assertFalse(repeated.isContiguous());
    Tensor huge = Tensor.of(DType.INT8, new long[] {1L << 40}, new long[] {0}, Bytes.of(new byte[1]));
    assertThrows(SerializationException.class, huge::contiguous);
    List<Object> list = new ArrayList<>(List.of(huge));
    assertThrows(SerializationException.class, () -> Values.written(list));
  }
}
