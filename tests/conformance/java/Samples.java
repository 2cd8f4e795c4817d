package conformance;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.sabir.DType;
import org.sabir.Sabir;
import org.sabir.Table;
import org.sabir.Tensor;
import org.sabir.internal.Bytes;

/** The values of the scenarios, by their names, as Java writes them. Caller and callee make them both. */
final class Samples {
  static final Map<String, Supplier<Object>> ALL = new LinkedHashMap<>();

  private Samples() {}

  static Object make(String name) {
    Supplier<Object> sample = ALL.get(name);
    if (sample == null) {
      throw new IllegalArgumentException("there is no sample " + name);
    }
    return sample.get();
  }

  /** Bytes in which a shift, a gap or a repeated block shows. */
  static byte[] pattern(int size) {
    byte[] made = new byte[size];
    for (int i = 0; i < size; ++i) {
      made[i] = (byte) (i * 31 + (i >> 8) * 7 + (i >> 16) * 13 + 5);
    }
    return made;
  }

  static {
    scalars();
    texts();
    containers();
    tensors();
    sizes();
  }

  private static void scalars() {
    ALL.put("null", () -> null);
    ALL.put("true", () -> true);
    ALL.put("false", () -> false);
    ALL.put("int-zero", () -> 0);
    ALL.put("int-negative", () -> - 1);
    ALL.put("int-min", () -> Long.MIN_VALUE);
    ALL.put("int-max", () -> Long.MAX_VALUE);
    ALL.put("uint-max", () -> BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE));
    ALL.put("big-positive", () -> BigInteger.ONE.shiftLeft(70).add(BigInteger.ONE));
    ALL.put("big-negative", () -> BigInteger.ONE.shiftLeft(70).negate());
    ALL.put("float", () -> 1.5);
    ALL.put("float32", () -> 0.25f);
    ALL.put("float-negative-zero", () -> - 0.0);
    ALL.put("float-smallest", () -> Double.MIN_VALUE);
    ALL.put("float-infinity", () -> Double.NEGATIVE_INFINITY);
    ALL.put("float-nan", () -> Double.NaN);
    ALL.put("time-utc", () -> OffsetDateTime.of(2020, 9, 13, 12, 26, 40, 123_456_000, ZoneOffset.UTC));
    ALL.put("time-offset", () -> OffsetDateTime.of(2020, 9, 13, 5, 26, 40, 0, ZoneOffset.ofHours(-7)));
    ALL.put("time-before-1970", () -> OffsetDateTime.of(1901, 1, 1, 0, 0, 0, 1000, ZoneOffset.UTC));
  }

  private static void texts() {
    ALL.put("text-empty", () -> "");
    ALL.put("text-ascii", () -> "say \"hello\" \\ bye");
    ALL.put("text-unicode", () -> "gr\u00fc\u00df \u20ac \ud83d\udc0d");
    ALL.put("text-nul", () -> "a\0b");
    ALL.put("text-long", () -> "\u20ac".repeat(1 << 18));
    ALL.put("bytes-empty", () -> new byte[0]);
    ALL.put("bytes-short", () -> new byte[] {0, 0x7f, (byte) 0x80, (byte) 0xff});
  }

  private static void containers() {
    ALL.put("list-empty", List::of);
    ALL.put(
        "list-mixed", () -> Arrays.asList(null, true, -7, 2.5, "x", new byte[] {'y'}, BigInteger.ONE.shiftLeft(64)));
    ALL.put("list-long", () -> {
      List<Integer> made = new ArrayList<>();
      for (int i = 0; i < 10_000; ++i) {
        made.add(i);
      }
      return made;
    });
    // Java has no tuples: a list.
    ALL.put("tuple", () -> List.of(1, "a", Arrays.asList(2.5, null)));
    ALL.put("map-empty", Map::of);
    ALL.put("map-ordered", () -> map("zebra", 1, "ant", List.of(2), "m", map("inner", null)));
    ALL.put("map-other-keys", () -> map(1, "int", "1", "text", 2.5, "float", new byte[] {'k'}, "bytes"));
    ALL.put("nested",
        ()
            -> map("rows", List.of(map("id", 1, "tags", List.of("a", "b")), map("id", 2, "tags", List.of())), "next",
                List.of(List.of(List.of(Map.of())))));
    ALL.put("nested-64", () -> {
      List<Object> value = List.of();
      for (int i = 1; i < 64; ++i) {
        value = List.of(value);
      }
      return value;
    });
  }

  /** In order, with keys and values of any type. */
  static Map<Object, Object> map(Object... keysAndValues) {
    Map<Object, Object> made = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      made.put(keysAndValues[i], keysAndValues[i + 1]);
    }
    return made;
  }

  private static void tensors() {
    ALL.put("tensor-bool", () -> Tensor.of(new boolean[] {true, false, true}));
    ALL.put("tensor-int8", () -> Tensor.of(new byte[] {-128, 0, 127}));
    ALL.put("tensor-int16", () -> Tensor.of(new short[] {Short.MIN_VALUE, 1}));
    ALL.put("tensor-int32", () -> Tensor.of(new int[] {Integer.MIN_VALUE, 1}));
    ALL.put("tensor-int64", () -> Tensor.of(new long[] {Long.MIN_VALUE, 1}));
    ALL.put("tensor-uint8", () -> raw(DType.UINT8, buffer(2).put((byte) 0).put((byte) 255)));
    ALL.put("tensor-uint16", () -> raw(DType.UINT16, buffer(4).putShort((short) 0).putShort((short) -1)));
    ALL.put("tensor-uint32", () -> raw(DType.UINT32, buffer(8).putInt(0).putInt(-1)));
    ALL.put("tensor-uint64", () -> raw(DType.UINT64, buffer(16).putLong(0).putLong(-1)));
    ALL.put("tensor-float16", () -> raw(DType.FLOAT16, buffer(4).putShort((short) 0x3e00).putShort((short) 0xc000)));
    ALL.put("tensor-bfloat16", () -> raw(DType.BFLOAT16, buffer(4).putShort((short) 0x3fc0).putShort((short) 0xc000)));
    ALL.put("tensor-float32", () -> Tensor.of(new float[] {1.5f, -0.25f}));
    ALL.put("tensor-float64", () -> Tensor.of(new double[] {1.5, -0.25}));
    ALL.put("tensor-complex64", () -> raw(DType.COMPLEX64, buffer(8).putFloat(1.5f).putFloat(-2)));
    ALL.put("tensor-complex128", () -> raw(DType.COMPLEX128, buffer(16).putDouble(1.5).putDouble(-2)));
    ALL.put("tensor-single", () -> Tensor.of(DType.FLOAT64, buffer(8).putDouble(2.5).flip()));
    ALL.put("tensor-empty", () -> Tensor.of(new int[0], 0, 3));
    ALL.put("tensor-3d", () -> {
      short[] numbers = new short[24];
      for (short i = 0; i < 24; ++i) {
        numbers[i] = i;
      }
      return Tensor.of(numbers, 2, 3, 4);
    });
    ALL.put("tensor-fortran", () -> view(new long[] {2, 3}, new long[] {4, 8}, 0, 3, 1, 4, 2, 5));
    ALL.put("tensor-strided", () -> view(new long[] {3, 2}, new long[] {16, 8}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
    ALL.put("tensors-inside", () -> {
      double[] numbers = new double[1000];
      Arrays.setAll(numbers, i -> i);
      Tensor small = raw(DType.UINT8, buffer(2).put((byte) 1).put((byte) 2));
      return map("a", List.of(small), "b", Tensor.of(numbers));
    });
  }

  private static void sizes() {
    for (String table : List.of("table", "table-empty", "table-sliced", "table-large")) {
      // Columns are written by arrow-java, which is not here: Java hands on what Python made.
      ALL.put(table, () -> Sabir.task(Callee.function("python", "make", Table.class), table).remote().get(Callee.WAIT));
    }
    ALL.put("size-0", () -> pattern(0));
    ALL.put("size-1", () -> pattern(1));
    ALL.put("size-store-minus-1", () -> pattern((64 << 10) - 1));
    ALL.put("size-store", () -> pattern(64 << 10));
    ALL.put("size-store-plus-1", () -> pattern((64 << 10) + 1));
    ALL.put("size-64-mib", () -> pattern(64 << 20));
    ALL.put("size-64-mib-tensor", () -> Tensor.of(DType.FLOAT32, ByteBuffer.wrap(pattern(64 << 20)), 4096, 4096));
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** One dimension of a type that Java has no arrays of. */
  private static Tensor raw(DType type, ByteBuffer filled) {
    filled.flip();
    return Tensor.of(type, filled, filled.remaining() / type.itemBytes());
  }

  private static Tensor view(long[] shape, long[] strides, int... numbers) {
    ByteBuffer bytes = buffer(numbers.length * 4);
    bytes.asIntBuffer().put(numbers);
    return Tensor.of(DType.INT32, shape, strides, Bytes.of(bytes));
  }
}
