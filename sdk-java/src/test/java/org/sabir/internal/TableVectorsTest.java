package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.sabir.SerializationException;
import org.sabir.Table;

/**
 * tests/vectors/tables.jsonl: tables as pyarrow writes them, and damaged ones. That arrow-java writes the same bytes is
 * tested with Python, in tests/languages.
 */
final class TableVectorsTest {
  private static final int NEUTRAL = 1;
  private static final int TABLE = 3;

  private static Incoming incoming(Vector vector) {
    return Incoming.of(NEUTRAL, TABLE, vector.bytes());
  }

  static Stream<Vector> good() throws IOException {
    return Vector.of("tables.jsonl").filter(vector -> !vector.isMalformed());
  }

  static Stream<Vector> malformed() throws IOException {
    return Vector.of("tables.jsonl").filter(Vector::isMalformed);
  }

  @Test
  void thereAreBoth() throws IOException {
    assertTrue(good().count() > 50 && malformed().count() > 20);
  }

  @ParameterizedTest
  @MethodSource("good")
  void isReadAndHandedOnAsItCame(Vector vector) {
    Table table = (Table) ValueReader.read(incoming(vector));
    assertEquals(vector.line().get("rows"), table.rows());
    assertEquals((long) ((List<?>) vector.line().get("types")).size(), table.columns());
    Incoming written = Values.written(table);
    assertEquals(TABLE, written.variant());
    ByteBuffer data = written.data().whole();
    byte[] bytes = new byte[data.remaining()];
    data.duplicate().get(bytes);
    assertEquals(vector.hex(), HexFormat.of().formatHex(bytes));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void isRefused(Vector vector) {
    assertThrows(SerializationException.class, () -> ValueReader.read(incoming(vector)));
  }
}
