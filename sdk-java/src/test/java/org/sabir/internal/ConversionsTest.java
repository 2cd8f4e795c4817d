package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.sabir.Converter;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** From what travels to what programs declare. */
final class ConversionsTest {
  @SuppressWarnings("unused") // for their types
  private static void declared(List<Short> shorts, Map<Integer, Set<String>> nested, SortedMap<String, Long> sorted,
      int[][] matrix, List<? extends Number> numbers, ArrayDeque<Byte> deque, List<Celsius> converted) {}

  private static Type declaredType(int index) {
    for (var method : ConversionsTest.class.getDeclaredMethods()) {
      if (method.getName().equals("declared")) {
        return method.getGenericParameterTypes()[index];
      }
    }
    throw new AssertionError();
  }

  private static Object to(Object value, Type type) {
    return Conversions.to(Values.roundTrip(value), type, "argument 1");
  }

  record Celsius(double degrees) {
    static {
      Converters.register(Celsius.class, new Converter<>() {
        @Override
        public Object toNeutral(Celsius value) {
          return value.degrees;
        }

        @Override
        public Celsius fromNeutral(Object neutral) {
          return new Celsius((Double) neutral);
        }
      });
    }
  }

  @Test
  void numbersChangeTheirTypeWithoutLoss() {
    assertEquals(5, to(5L, int.class));
    assertEquals((short) -7, to(-7, Short.class));
    assertEquals(3.0, to(3, double.class));
    assertEquals(0.5f, to(0.5, float.class));
    assertEquals(BigInteger.TEN, to(10, BigInteger.class));
    assertEquals(new BigDecimal(10), to(10, BigDecimal.class));
    assertEquals('c', to("c", char.class));
    assertEquals(5L, to(5, Object.class));
    for (Object[] wrong : new Object[][] {
             {300, byte.class},
             {0.5, int.class},
             {true, int.class},
             {1, boolean.class},
             {"1", int.class},
             {Long.MAX_VALUE, double.class},
             {BigInteger.ONE.shiftLeft(70), long.class},
             {"ab", char.class},
         }) {
      SerializationException error =
          assertThrows(SerializationException.class, () -> to(wrong[0], (Class<?>) wrong[1]));
      assertTrue(error.getMessage().startsWith("argument 1: cannot make "), error.getMessage());
    }
    assertThrows(SerializationException.class, () -> to(null, int.class));
    assertEquals(null, to(null, Integer.class));
  }

  @Test
  void containersByTheirDeclaredTypes() {
    assertEquals(List.of((short) 1, (short) 2), to(List.of(1, 2), declaredType(0)));
    assertEquals(Map.of(1, Set.of("a")), to(Map.of(1, List.of("a")), declaredType(1)));
    assertEquals(new TreeMap<>(Map.of("a", 1L)), to(Map.of("a", 1), declaredType(2)));
    assertTrue(to(Map.of(), declaredType(2)) instanceof SortedMap);
    assertArrayEquals(new int[][] {{1}, {2, 3}}, (int[][]) to(new int[][] {{1}, {2, 3}}, declaredType(3)));
    assertEquals(List.of(1L, 2.5), to(List.of(1, 2.5), declaredType(4)));
    assertEquals((byte) 4, ((ArrayDeque<?>) to(List.of(4), declaredType(5))).peek());
    assertArrayEquals(new String[] {"x"}, (String[]) to(List.of("x"), String[].class));
    assertArrayEquals(new int[] {1, 2}, (int[]) to(List.of(1, 2), int[].class));
    SerializationException error =
        assertThrows(SerializationException.class, () -> to(Map.of(1, List.of("a", 2)), declaredType(1)));
    assertTrue(
        error.getMessage().startsWith("argument 1[1][1]: cannot make java.lang.String of Long 2"), error.getMessage());
  }

  @Test
  void timesTensorsEnumsAndConverters() {
    Instant now = Instant.ofEpochSecond(1_700_000_000, 5);
    assertEquals(now.atOffset(ZoneOffset.UTC), to(now, OffsetDateTime.class));
    assertEquals(now, to(now.atOffset(ZoneOffset.ofHours(3)), Instant.class));
    assertArrayEquals(new long[] {1}, (long[]) to(new long[] {1}, long[].class));
    assertThrows(SerializationException.class, () -> to(new long[] {1}, int[].class));
    assertEquals(Tensor.of(new byte[] {1}).getLong(0), ((Tensor) to(new byte[] {1}, Tensor.class)).getLong(0));
    assertEquals(Thread.State.NEW, to("NEW", Thread.State.class));
    assertThrows(SerializationException.class, () -> to("OLD", Thread.State.class));
    assertEquals(List.of(new Celsius(1.5)), to(List.of(new Celsius(1.5)), declaredType(6)));
    assertEquals(Encoded.NEUTRAL, Values.written(new Celsius(2)).encoding());
    assertThrows(SerializationException.class, () -> to(5, Thread.class));
  }
}
