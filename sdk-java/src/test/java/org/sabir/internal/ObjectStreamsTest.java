package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Values that only Java reads. */
final class ObjectStreamsTest {
  record Point(int x, List<Object> more) implements Serializable {}

  static final class Opaque {}

  static final class Broken implements Serializable {
    private static final long serialVersionUID = 1L;

    private void writeObject(java.io.ObjectOutputStream out) {
      throw new IllegalStateException("not today");
    }

    private void readObject(java.io.ObjectInputStream in) {
      throw new AssertionError();
    }
  }

  @Test
  void recordsEnumsAndOthersKeepTheirTypes() {
    Point point = new Point(3, new ArrayList<>(List.of("a")));
    assertEquals(point, Values.roundTrip(point));
    assertEquals(List.of(point), Values.roundTrip(List.of(point)));
    assertEquals(Thread.State.BLOCKED, Values.roundTrip(Thread.State.BLOCKED));
    assertEquals(new BigDecimal("1.50"), Values.roundTrip(new BigDecimal("1.50")));
  }

  @Test
  void tensorsTravelInside() {
    Tensor tensor = Tensor.of(new int[] {1, 2, 3, 4}, 2, 2);
    Point point = (Point) Values.roundTrip(new Point(1, new ArrayList<>(List.of(tensor))));
    assertEquals(tensor, point.more().get(0));
  }

  @Test
  void whatCannotBeSentIsNamedWithItsPlace() {
    Map<String, Object> value = new HashMap<>();
    value.put("key", new ArrayList<>(List.of(1, new Opaque())));
    SerializationException error = assertThrows(SerializationException.class, () -> Values.written(value));
    assertTrue(error.getMessage().startsWith("the value: [key][1]: " + Opaque.class.getName()), error.getMessage());
    assertTrue(error.getMessage().contains("Implement Serializable"), error.getMessage());
    SerializationException hidden = assertThrows(
        SerializationException.class, () -> Values.written(new Point(1, new ArrayList<>(List.of(new Opaque())))));
    assertTrue(hidden.getMessage().contains(Point.class.getName() + " holds a " + Opaque.class.getName()),
        hidden.getMessage());
    SerializationException broken = assertThrows(SerializationException.class, () -> Values.written(new Broken()));
    assertTrue(broken.getMessage().contains("not today"), broken.getMessage());
  }

  @Test
  void veryDeepObjectsAreAnError() {
    Object deep = null;
    for (int i = 0; i < 200_000; ++i) {
      deep = new Object[] {deep};
    }
    Object value = deep;
    assertThrows(SerializationException.class, () -> Values.written(value));
  }

  @Test
  void damagedStreamsAreAnError() {
    Incoming good = Values.written(new Point(1, new ArrayList<>()));
    byte[] bytes = new byte[(int) good.data().size()];
    good.data().whole().get(bytes);
    for (int cut = 0; cut < bytes.length; ++cut) {
      byte[] part = java.util.Arrays.copyOf(bytes, cut);
      assertThrows(SerializationException.class, () -> Values.read(Encoded.NATIVE, Encoded.OBJECT_STREAM, part));
    }
  }

  @Test
  void anotherLanguagesFormIsNamed() {
    SerializationException error = assertThrows(SerializationException.class,
        () -> ValueReader.read(new Incoming(Encoded.NATIVE, 1, 2, false, Bytes.of(new byte[3]), ReferenceTable.EMPTY)));
    assertTrue(error.getMessage().contains("only Python reads"), error.getMessage());
  }
}
