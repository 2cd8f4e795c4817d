package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/**
 * tests/vectors/values.jsonl: values with their bytes, the same in every language. A value is described as there
 * (sdk-cpp/tests/vectors.cc says how), but that tuples are lists, since Java has none.
 */
final class VectorsTest {
  private static Incoming incoming(Vector vector) {
    int encoding = ((Long) vector.line().get("encoding")).intValue();
    int variant = ((Long) vector.line().get("variant")).intValue();
    return Incoming.of(encoding, variant, vector.bytes());
  }

  static Stream<Vector> good() throws IOException {
    return Vector.of("values.jsonl").filter(vector -> !vector.isMalformed());
  }

  static Stream<Vector> malformed() throws IOException {
    return Vector.of("values.jsonl").filter(Vector::isMalformed);
  }

  @Test
  void thereAreBoth() throws IOException {
    assertTrue(good().count() > 50 && malformed().count() > 10);
  }

  @ParameterizedTest
  @MethodSource("good")
  void isReadAsWhatItIs(Vector vector) {
    assertEquals(wanted(vector.line().get("value")), describe(ValueReader.read(incoming(vector))));
  }

  static Stream<Vector> written() throws IOException {
    return good().filter(vector -> vector.line().get("writers").equals(true));
  }

  @ParameterizedTest
  @MethodSource("written")
  void isWrittenInTheSameBytes(Vector vector) {
    Object value = ValueReader.read(incoming(vector));
    Incoming written = Values.written(value);
    assertEquals(describe(value), describe(ValueReader.read(written)));
    // Tuples become lists where they are no keys.
    if (!hasTuple(vector.line().get("value"))) {
      assertEquals(vector.line().get("encoding"), (long) written.encoding());
      assertEquals(vector.line().get("variant"), (long) written.variant());
      assertEquals(vector.line().get("hex"), hex(written.data().whole()));
    }
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void isRefused(Vector vector) {
    assertThrows(SerializationException.class, () -> ValueReader.read(incoming(vector)));
  }

  private static boolean hasTuple(Object value) {
    if (value instanceof Map<?, ?> map) {
      if (map.containsKey("map")) {
        return ((List<?>) map.get("map")).stream().anyMatch(entry -> hasTuple(((List<?>) entry).get(1)));
      }
      return map.containsKey("tuple") || map.values().stream().anyMatch(VectorsTest::hasTuple);
    }
    return value instanceof List<?> list && list.stream().anyMatch(VectorsTest::hasTuple);
  }

  /** The file's description, with floats as bits and tuples as lists. */
  private static Object wanted(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(VectorsTest::wanted).toList();
    }
    if (!(value instanceof Map<?, ?> map)) {
      return value == null ? "null" : value;
    }
    Map.Entry<?, ?> only = map.entrySet().iterator().next();
    Object content = only.getValue();
    switch ((String) only.getKey()) {
      case "float32":
        return one("float32", Float.floatToRawIntBits((float) number((String) content)));
      case "float64":
        return one("float64", Double.doubleToRawLongBits(number((String) content)));
      case "tuple":
        return one("list", wanted(content));
      case "list":
      case "map":
        return one(only.getKey(), wanted(content));
      default:
        return map;
    }
  }

  private static double number(String text) {
    return text.equals("inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(text);
  }

  private static Map<Object, Object> one(Object kind, Object content) {
    return Map.of(kind, content);
  }

  private static Object describe(Object value) {
    if (value == null) {
      return "null";
    } else if (value instanceof Boolean) {
      return value;
    } else if (value instanceof Long || value instanceof BigInteger) {
      return one("int", value.toString());
    } else if (value instanceof Float number) {
      return one("float32", Float.floatToRawIntBits(number));
    } else if (value instanceof Double number) {
      return one("float64", Double.doubleToRawLongBits(number));
    } else if (value instanceof String) {
      return one("text", value);
    } else if (value instanceof byte[] bytes) {
      return one("bytes", HexFormat.of().formatHex(bytes));
    } else if (value instanceof Instant instant) {
      return time(instant, null);
    } else if (value instanceof OffsetDateTime time) {
      return time(time.toInstant(), (long) time.getOffset().getTotalSeconds());
    } else if (value instanceof List<?> list) {
      return one("list", list.stream().map(VectorsTest::describe).toList());
    } else if (value instanceof Map<?, ?> map) {
      List<Object> entries = new ArrayList<>();
      map.forEach((key, item) -> entries.add(List.of(describe(key), describe(item))));
      return one("map", entries);
    }
    Tensor tensor = (Tensor) value;
    return one("tensor",
        Map.of("dtype", tensor.dtype().name().toLowerCase(java.util.Locale.ROOT), "shape", list(tensor.shape()),
            "strides", list(tensor.strides()), "hex", hex(tensor.buffer())));
  }

  private static Object time(Instant instant, Long offset) {
    BigInteger nanos = BigInteger.valueOf(instant.getEpochSecond())
                           .multiply(BigInteger.valueOf(1_000_000_000))
                           .add(BigInteger.valueOf(instant.getNano()));
    List<Object> parts = new ArrayList<>();
    parts.add(nanos.toString());
    parts.add(offset);
    return one("time", parts);
  }

  private static List<Long> list(long[] numbers) {
    return LongStream.of(numbers).boxed().toList();
  }

  private static String hex(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
