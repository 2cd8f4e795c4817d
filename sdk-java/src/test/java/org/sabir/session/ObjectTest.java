package org.sabir.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.sabir.DType;
import org.sabir.InvalidArgumentException;
import org.sabir.ObjectRef;
import org.sabir.ObjectStoreFullException;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** Objects in the store. */
final class ObjectTest {
  private static final int DOUBLES = 8 << 20; // 64 MiB

  @BeforeAll
  static void session() {
    Sessions.shared();
  }

  record Point(int x, List<ObjectRef<Integer>> refs) implements Serializable {}

  private static Tensor ones() {
    return Functions.ones(DOUBLES);
  }

  /** Bytes that objects take, as the node sees them. */
  private static long usedBytes() {
    java.util.regex.Matcher used =
        java.util.regex.Pattern.compile("\"(?:used_bytes|used)\"\\s*:\\s*(\\d+)").matcher(Sabir.status());
    assertTrue(used.find(), Sabir.status());
    return Long.parseLong(used.group(1));
  }

  @Test
  void largeTensorsAreReadInPlace() {
    ObjectRef<Tensor> put = Sabir.put(ones());
    long before = usedBytes();
    Tensor one = put.get();
    Tensor two = put.get();
    assertTrue(one.buffer().isDirect() && one.buffer().isReadOnly());
    assertThrows(ReadOnlyBufferException.class, () -> one.buffer().put(0, (byte) 1));
    assertEquals(one.bytes().address(), two.bytes().address(), "two reads, one place");
    assertEquals(DOUBLES, Sabir.task(Functions::total, put).remote().get());
    assertTrue(usedBytes() <= before, "no copy was stored"); // less: garbage of other tests
    assertEquals(DOUBLES, Sabir.task(Functions::ones, DOUBLES).remote().get().size());
  }

  @Test
  void aBufferKeepsItsObjectAlive() throws Exception {
    ByteBuffer slice = Sabir.put(Functions.ones(1 << 17)).get().buffer().slice(800, 80);
    long held = usedBytes();
    for (int i = 0; i < 5; ++i) {
      System.gc();
      Thread.sleep(20);
    }
    assertEquals(1.0, slice.order(java.nio.ByteOrder.LITTLE_ENDIAN).getDouble(0));
    slice = null;
    for (int i = 0; usedBytes() > held - (1 << 20); ++i) {
      assertTrue(i < 500, "the object was not freed");
      System.gc();
      Thread.sleep(10);
    }
  }

  @Test
  void valuesOfAllSizes() {
    for (int size : new int[] {0, 1, 1023, 1024, 1025, 4095, 4097, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 3 << 20}) {
      byte[] bytes = new byte[size];
      java.util.Arrays.fill(bytes, (byte) 7);
      org.junit.jupiter.api.Assertions.assertArrayEquals(bytes, Sabir.put(bytes).get());
      org.junit.jupiter.api.Assertions.assertArrayEquals(bytes, Sabir.task(Functions::same, bytes).remote().get());
      String text = "x".repeat(size);
      assertEquals(text, Sabir.task(Functions::same, text).remote().get());
      assertEquals(size, Sabir.task(Functions::same, new int[size]).remote().get().length);
    }
  }

  @Test
  void arraysOfAllTypesGoStraightIntoTheStore() {
    int items = 100_003;
    boolean[] truths = new boolean[items];
    short[] shorts = new short[items];
    int[] ints = new int[items];
    long[] longs = new long[items];
    float[] floats = new float[items];
    double[] doubles = new double[items];
    for (int i = 0; i < items; ++i) {
      truths[i] = i % 3 == 0;
      shorts[i] = (short) i;
      ints[i] = -i;
      longs[i] = 1L << i % 64;
      floats[i] = i / 2f;
      doubles[i] = i / 3.0;
    }
    for (Object array : new Object[] {truths, shorts, ints, longs, floats, doubles}) {
      Object back = Sabir.put(array).get();
      assertTrue(java.util.Objects.deepEquals(array, back), array.getClass().getSimpleName());
    }
    assertEquals(0, Sabir.put(new double[0]).get().length);
    assertEquals(items, Sabir.put(Tensor.of(doubles)).get().size());
  }

  @Test
  void referencesInsideOfObjectsKeepThingsAlive() {
    ObjectRef<Point> point = Sabir.put(new Point(1, List.of(Sabir.put(41))));
    System.gc();
    Point read = Sabir.task((Point given) -> given, point).remote().get();
    assertEquals(41, read.refs().get(0).get().intValue());
    ObjectRef<Map<String, Object>> map = Sabir.put(Map.of("tensor", ones(), "ref", Sabir.put("inner")));
    Map<String, Object> values = map.get();
    assertEquals(1.0, ((Tensor) values.get("tensor")).getDouble(DOUBLES - 1));
    assertEquals("inner", ((ObjectRef<?>) values.get("ref")).get());
  }

  @Test
  void whatWasPutHereHasItsTypesHere() {
    assertEquals(List.of(1, 2), Sabir.put(List.of(1, 2)).get());
    assertEquals(Map.of("a", List.of(1.5f)), Sabir.put(Map.of("a", List.of(1.5f))).get());
    assertEquals((short) 3, Sabir.put((short) 3).get());
    assertEquals(java.util.Arrays.asList(null, 1), Sabir.put(java.util.Arrays.asList(null, 1)).get());
    // Mixed ones have the most general type.
    assertEquals(List.of(1L, 2L), Sabir.put(List.of(1, 2L)).get());
    assertEquals(List.of(1L, "a"), Sabir.put(List.<Object>of(1, "a")).get());
  }

  @Test
  void wrongUses() {
    assertThrows(InvalidArgumentException.class, () -> Sabir.put(Sabir.put(1)));
    ObjectRef<Integer> one = Sabir.put(1);
    assertEquals(one, Sabir.task((List<ObjectRef<Integer>> refs) -> refs.get(0), List.of(one)).remote().get());
  }
}
