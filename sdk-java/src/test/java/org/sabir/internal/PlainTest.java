package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sabir.SerializationException;

/** Plain values: bytes as docs/values.md has them, and what is wrong with bytes. */
final class PlainTest {
  private static void same(String bytes, Object value, Object readAs) {
    assertArrayEquals(Values.bytes(bytes), Values.plain(value), () -> "bytes of " + value);
    assertEquals(readAs, Values.readPlain(Values.bytes(bytes)));
  }

  @Test
  void integersTakeTheSmallestForm() {
    same("i_", 0, 0L);
    same("i<7f>", (byte) 127, 127L);
    same("i<80>", (short) -128, -128L);
    same("I<80 00 00 00 00 00 00 00>", 128, 128L);
    same("I<00 00 00 00 00 00 00 80>", Long.MIN_VALUE, Long.MIN_VALUE);
    same("i<05>", BigInteger.valueOf(5), 5L);
    BigInteger two63 = BigInteger.ONE.shiftLeft(63);
    same("U<00 00 00 00 00 00 00 80>", two63, two63);
    BigInteger two64 = BigInteger.ONE.shiftLeft(64);
    same("U<ff ff ff ff ff ff ff ff>", two64.subtract(BigInteger.ONE), two64.subtract(BigInteger.ONE));
    same("n<09 00 00 00 00 00 00 00 00 00 00 00 01>", two64, two64);
    BigInteger below = two63.negate().subtract(BigInteger.ONE);
    same("n<09 00 00 00 ff ff ff ff ff ff ff 7f ff>", below, below);
  }

  @Test
  void otherScalars() {
    same("T", true, true);
    same("F", false, false);
    same("f<00 00 00 00 00 00 f8 3f>", 1.5, 1.5);
    same("e<00 00 c0 3f>", 1.5f, 1.5f);
    same("s<03 00 00 00>abc", "abc", "abc");
    same("s<01 00 00 00>x", 'x', "x");
    same("s<0b 00 00 00>a_<c3 a4 e2 82 ac f0 9f 98 80>", "a\0\u00e4\u20ac\ud83d\ude00", "a\0\u00e4\u20ac\ud83d\ude00");
    assertArrayEquals(Values.bytes("b<02 00 00 00>_<ff>"), Values.plain(new byte[] {0, -1}));
    assertArrayEquals(new byte[] {0, -1}, (byte[]) Values.readPlain(Values.bytes("b<02 00 00 00>_<ff>")));
    assertEquals(Encoded.NULL, Values.written(null).encoding());
    assertEquals(null, Values.roundTrip(null));
  }

  @Test
  void times() {
    same("D<01 00 00 00 00 00 00 00 00 00 00 80>", Instant.ofEpochSecond(0, 1), Instant.ofEpochSecond(0, 1));
    same("D<ff ff ff ff ff ff ff ff 00 00 00 80>", Instant.ofEpochSecond(0, -1), Instant.ofEpochSecond(0, -1));
    OffsetDateTime paris = OffsetDateTime.of(1970, 1, 1, 1, 0, 0, 0, ZoneOffset.ofHours(1));
    same("D<00 00 00 00 00 00 00 00 10 0e 00 00>", paris, paris);
    // 23 hours: what Python has and Java has not.
    assertEquals(Instant.EPOCH.atOffset(ZoneOffset.UTC),
        Values.readPlain(Values.bytes("D<00 00 00 00 00 00 00 00 70 43 01 00>")));
  }

  @Test
  void containersKeepTheirOrder() {
    same("l<02 00 00 00>i<01>N", Arrays.asList(1, null), Arrays.asList(1L, null));
    same("l<01 00 00 00>l<00 00 00 00>", List.of(List.of()), List.of(List.of()));
    same("l<01 00 00 00>T", new Object[] {true}, List.of(true));
    Map<Object, Object> map = new LinkedHashMap<>();
    map.put("z", 1);
    map.put(2, "a");
    map.put(List.of(3), List.of());
    byte[] expected =
        Values.bytes("d<03 00 00 00>s<01 00 00 00>zi<01>i<02>s<01 00 00 00>at<01 00 00 00>i<03>l<00 00 00 00>");
    assertArrayEquals(expected, Values.plain(map));
    Map<?, ?> read = (Map<?, ?>) Values.readPlain(expected);
    assertEquals(List.of("z", 2L, List.of(3L)), new ArrayList<>(read.keySet()));
    assertEquals(List.of(1L, "a", List.of()), new ArrayList<>(read.values()));
  }

  @ParameterizedTest
  @ValueSource(strings =
                   {
                       "",
                       "x",
                       "i",
                       "I<01>",
                       "f<00 00>",
                       "e<00>",
                       "U<00>",
                       "s<01 00 00 00>",
                       "s<ff ff ff ff>a",
                       "b<02 00 00 00>a",
                       "s<01 00 00 00 ff>",
                       "s<03 00 00 00 ed a0 80>",
                       "s<02 00 00 00 c0 80>",
                       "n<00 00 00 00>",
                       "n<05 00 00 00>a",
                       "l",
                       "l<ff ff ff ff>",
                       "l<02 00 00 00>N",
                       "t<01 00 00 00>",
                       "d<01 00 00 00>N",
                       "d<ff ff ff 7f>NN",
                       "NN",
                       "d<01 00 00 00>l<00 00 00 00>N",
                       "d<01 00 00 00>d<00 00 00 00>N",
                       "r<00 00 00 00>",
                       "h<ff ff ff ff>",
                       "D<00 00 00 00 00 00 00 00>",
                       "D<00 00 00 00 00 00 00 00 80 51 01 00>",
                       "a<05 00>",
                       "a<05 00 00 00 00 00 00 00>",
                       "a<05 21 00 00 00 00 00 00>",
                       "a<00 00 00 00 00 00 00 00>",
                       "a<05 01 00 00 00 00 00 00>",
                   })
  void
  malformed(String bytes) {
    SerializationException error =
        assertThrows(SerializationException.class, () -> Values.readPlain(Values.bytes(bytes)));
    assertTrue(error.getMessage().startsWith("malformed plain value at byte "), error.getMessage());
  }

  @Test
  void unknownTagsAreNamedWithTheirPlace() {
    SerializationException error =
        assertThrows(SerializationException.class, () -> Values.readPlain(Values.bytes("l<01 00 00 00>?")));
    assertEquals("malformed plain value at byte 5: unknown tag 63", error.getMessage());
  }

  @Test
  void sixtyFourContainersAreTheLimit() {
    assertEquals(1, ((List<?>) Values.readPlain(Values.bytes("l<01 00 00 00>".repeat(64) + "N"))).size());
    assertThrows(SerializationException.class, () -> Values.readPlain(Values.bytes("l<01 00 00 00>".repeat(65) + "N")));
    Object nested = 1;
    for (int i = 0; i < 64; ++i) {
      nested = List.of(nested);
    }
    assertEquals(Encoded.NEUTRAL, Values.written(nested).encoding());
    assertEquals(Encoded.NATIVE, Values.written(List.of(nested)).encoding());
  }

  @Test
  void sharedAndCyclicContainersGoToJavasOwnForm() {
    List<Object> shared = new ArrayList<>(List.of(1));
    List<?> read = (List<?>) Values.roundTrip(new ArrayList<>(List.of(shared, shared)));
    assertTrue(read.get(0) == read.get(1), "identity is kept");
    List<Object> cyclic = new ArrayList<>();
    cyclic.add(cyclic);
    List<?> loop = (List<?>) Values.roundTrip(cyclic);
    assertTrue(loop.get(0) == loop);
    // Without the check it would be 2^40 lists.
    List<Object> grown = new ArrayList<>(List.of(1));
    for (int i = 0; i < 40; ++i) {
      grown = new ArrayList<>(Collections.nCopies(2, grown));
    }
    assertEquals(Encoded.NATIVE, Values.written(grown).encoding());
  }

  @Test
  void halfOfASurrogatePairIsNoText() {
    // Java's own form can hold it, so Java reads it back; other languages cannot.
    assertEquals("a\ud800", Values.roundTrip("a\ud800"));
    assertEquals(Encoded.NATIVE, Values.written(List.of("\udc00\ud800")).encoding());
  }
}
