package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sabir.SerializationException;

/** FlexBuffers: what its C++ library writes, and what nobody should. */
final class FlexTest {
  private static Object read(String hex) {
    return Values.read(Encoded.NEUTRAL, Encoded.FLEX, HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  @Test
  void scalars() {
    assertEquals(null, read("00 00 01"));
    assertEquals(true, read("01 68 01"));
    assertEquals(-2L, read("fe 04 01"));
    assertEquals(300L, read("2c01 05 02"));
    assertEquals(new BigInteger("18446744073709551615"), read("ffffffffffffffff 0b 08"));
    assertEquals(1.5, read("0000c03f 0e 04"));
    assertEquals(-0.25, read("000000000000d0bf 0f 08"));
    assertEquals("h\u00e4", read("03 68c3a4 00 04 14 01"));
    assertArrayEquals(new byte[] {1, 2}, (byte[]) read("02 0102 02 64 01"));
  }

  @Test
  void vectorsAndMaps() {
    assertEquals(List.of(1L, 2L, 3L), read("03 010203 03 2c 01"));
    assertEquals(List.of(1L, 2L), read("0102 02 40 01"));
    assertEquals(List.of(true, false), read("02 0100 02 90 01"));
    assertEquals(List.of(List.of(), 7L), read("00 02 01 07 28 04 04 28 01"));
    assertEquals(Map.of("a", 5L), read("6100 01 03 01 01 01 05 04 02 24 01"));
  }

  @ParameterizedTest
  @ValueSource(strings =
                   {
                       "",
                       "00",
                       "00 00",
                       "00 00 03",
                       "00 00 09",
                       "00 04 02",
                       "05 14 01",
                       "00 14 01",
                       "ff 14 01",
                       "09 61 00 02 14 01",
                       "02 ffff 02 14 01",
                       "ff 010203 03 2c 01",
                       "61 01 10 01",
                       "01 0e 01",
                       "00 78 01",
                       "00 fc 01",
                       "6100 01 03 01 01 02 05 04 02 24 01",
                       "6100 01 03 01 03 01 05 04 02 24 01",
                       "6100 01 7f 01 01 01 05 04 02 24 01",
                       "01 01 28 02 28 01",
                   })
  void
  malformed(String hex) {
    SerializationException error = assertThrows(SerializationException.class, () -> read(hex));
    assertTrue(error.getMessage().startsWith("malformed neutral value"), error.getMessage());
  }

  @Test
  void sharedPartsDoNotGrowWithoutBound() {
    // 20 vectors of 8 items, each of which is the vector before: 8^20 items in 400 bytes.
    ByteSink out = new ByteSink();
    out.putByte(0);
    int inner = out.size();
    for (int depth = 0; depth < 20; ++depth) {
      out.putByte(8);
      int at = out.size();
      for (int i = 0; i < 8; ++i) {
        out.putByte(out.size() - inner);
      }
      for (int i = 0; i < 8; ++i) {
        out.putByte(10 << 2);
      }
      inner = at;
    }
    out.putByte(out.size() - inner);
    out.putByte(10 << 2);
    out.putByte(1);
    byte[] bytes = java.util.Arrays.copyOf(out.bytes(), out.size());
    SerializationException error =
        assertThrows(SerializationException.class, () -> Values.read(Encoded.NEUTRAL, Encoded.FLEX, bytes));
    assertTrue(error.getMessage().contains("shared too often"), error.getMessage());
  }

  @Test
  void mapsThatJavaWritesAreRead() {
    Map<String, Object> inner = new LinkedHashMap<>();
    inner.put("kind", 12L);
    inner.put("message", "broken: \u00e4\ud800"); // a lone surrogate becomes a question mark
    Map<String, Object> outer = new LinkedHashMap<>();
    outer.put("kind", -1L);
    outer.put("native", new byte[] {1, 2, 3});
    outer.put("message", "");
    outer.put("cause", inner);
    Map<?, ?> read = (Map<?, ?>) Values.read(Encoded.NEUTRAL, Encoded.FLEX, FlexMapWriter.write(outer));
    assertEquals(List.of("cause", "kind", "message", "native"), List.copyOf(read.keySet()));
    assertEquals(Map.of("kind", 12L, "message", "broken: \u00e4?"), read.get("cause"));
    assertEquals(-1L, read.get("kind"));
    assertArrayEquals(new byte[] {1, 2, 3}, (byte[]) read.get("native"));
  }
}
