package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.Serializable;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sabir.ErrorKind;
import org.sabir.Language;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Any bytes give a value or a SerializationException: no other exception, no endless loop, no huge allocation. */
final class MalformedTest {
  private static final int ROUNDS = 40_000;
  private static final byte VECTOR = 10 << 2;

  // Set to repeat a failure: a JVM's flag of the test, which prints it.
  private final long seed = Long.getLong("sabir.test.seed", System.nanoTime());

  private final Random random = new Random(seed);

  private static final List<Object> SAMPLES = List.of(
      Map.of("a", List.of(1, 2.5, "text", true), "b", Map.of(3, new byte[] {1, 2})),
      List.of(BigInteger.ONE.shiftLeft(80), Instant.now(), Arrays.asList(null, -1L)),
      List.of(Tensor.of(new int[] {1, 2, 3, 4}, 2, 2), new double[] {1}), Tensor.of(new float[] {1, 2, 3}, 3, 1, 1));

  private byte[] damaged(byte[] good) {
    byte[] bytes = good.clone();
    for (int changes = random.nextInt(4) + 1; changes > 0; --changes) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] ^= 1 << random.nextInt(8);
        case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        default -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) (random.nextBoolean() ? -1 : 0x7f));
      }
    }
    return bytes;
  }

  /** A form's true bytes. */
  private record Form(String name, int encoding, int language, int variant, boolean isError, byte[] bytes) {
    Incoming with(byte[] other) {
      return new Incoming(encoding, language, variant, isError, Bytes.of(other), ReferenceTable.EMPTY);
    }
  }

  private static Form form(String name, Object value) {
    Incoming written = Values.written(value);
    byte[] bytes = new byte[(int) written.data().size()];
    written.data().whole().get(bytes);
    return new Form(name, written.encoding(), Language.JAVA.code(), written.variant(), false, bytes);
  }

  private static Form noted(String name, int language, Form stream) {
    ByteSink out = new ByteSink();
    byte[] note = "the result[2] (java.util.BitSet)".getBytes(StandardCharsets.UTF_8);
    out.putInt(note.length);
    out.putBytes(note);
    out.align(0, 64);
    out.putBytes(stream.bytes);
    return new Form(name, Encoded.NATIVE, language, Encoded.OBJECT_STREAM | Encoded.NOTED, false,
        Arrays.copyOf(out.bytes(), out.size()));
  }

  static final class Holder implements Serializable {
    private static final long serialVersionUID = 1L;
    final Map<String, Object> map = new HashMap<>(Map.of("a", 1, "b", List.of(2.5, "text")));
    final int[] numbers = {1, 2, 3};
    final BitSet bits = new BitSet(40);
  }

  private static List<Form> forms() {
    List<Form> forms = new ArrayList<>();
    for (Object sample : SAMPLES) {
      forms.add(form("a value", sample));
    }
    forms.add(form("an object stream as it is sent", new Holder()));
    Form stream = new Form("an object stream", Encoded.NATIVE, Language.JAVA.code(), Encoded.OBJECT_STREAM, false,
        ValueWriter.nativeOrNull(new Holder(), 1 << 20));
    forms.add(stream);
    forms.add(noted("an object stream with a note", Language.JAVA.code(), stream));
    forms.add(noted("another language's", Language.PYTHON.code(), stream));
    byte[] exception =
        ValueWriter.nativeOrNull(new IllegalStateException("why", new RuntimeException("below")), 1 << 20);
    Map<String, Object> cause = Map.of("kind", 14L, "message", "why", "native", exception, "stack", "at a.b");
    Map<String, Object> error = Map.of("kind", 12L, "message", "text", "stack", "here", "type", "a.B", "language",
        (long) Language.JAVA.code(), "native", exception, "cause", cause);
    byte[] map = FlexMapWriter.write(error);
    forms.add(new Form("a FlexBuffers map", Encoded.NEUTRAL, 0, Encoded.FLEX, false, map));
    forms.add(new Form("an error", Encoded.NEUTRAL, 0, Encoded.FLEX, true, map));
    return forms;
  }

  private boolean read(Form form, byte[] bytes) {
    try {
      Incoming value = form.with(bytes);
      // Errors are always exceptions of Sabir's: one is made of whatever is there.
      Object read = form.isError ? Errors.ofValue(value) : ValueReader.read(value);
      Texts.shortened(read);
      return true;
    } catch (SerializationException expected) {
      return false;
    } catch (Throwable other) {
      return fail("-Dsabir.test.seed=" + seed + ": " + form.name + " (encoding " + form.encoding + ", variant "
              + form.variant + "): " + HexFormat.of().formatHex(bytes),
          other);
    }
  }

  @Test
  void formsAreReadable() {
    for (Form form : forms()) {
      assertEquals(!form.name.equals("another language's"), read(form, form.bytes), form.name);
    }
  }

  @Test
  void damagedValues() {
    List<Form> forms = forms();
    int readable = 0;
    for (int round = 0; round < ROUNDS; ++round) {
      Form form = forms.get(round % forms.size());
      readable += read(form, damaged(form.bytes)) ? 1 : 0;
    }
    System.out.println(
        "-Dsabir.test.seed=" + seed + ": " + readable + " of " + ROUNDS + " damaged values were still values");
    assertTrue(readable > ROUNDS / 100 && readable < ROUNDS, "seed " + seed + ": " + readable);
  }

  @Test
  void noise() {
    byte[] tags = "NTFiIUnfesbltdrhDa".getBytes(StandardCharsets.US_ASCII);
    for (int round = 0; round < ROUNDS; ++round) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      for (int i = 0; i < bytes.length; ++i) {
        if (random.nextInt(3) == 0) {
          bytes[i] = random.nextBoolean() ? tags[random.nextInt(tags.length)] : (byte) random.nextInt(4);
        }
      }
      boolean isError = random.nextInt(8) == 0;
      int variant = isError ? 0 : random.nextInt(4) | (random.nextInt(8) == 0 ? Encoded.NOTED : 0);
      read(new Form("noise", isError ? Encoded.NEUTRAL : random.nextInt(4), random.nextInt(5), variant, isError, bytes),
          bytes);
    }
  }

  private static byte[] vectorsOfVectors(int levels, int times) {
    ByteSink out = new ByteSink();
    out.putBytes(new byte[] {1, 1, 1 << 2});
    int before = 1;
    for (int level = 0; level < levels; ++level) {
      out.putByte(times);
      int start = out.size();
      for (int i = 0; i < times; ++i) {
        out.putByte(out.size() - before);
      }
      for (int i = 0; i < times; ++i) {
        out.putByte(VECTOR);
      }
      before = start;
    }
    out.putByte(out.size() - before);
    out.putByte(VECTOR);
    out.putByte(1);
    return Arrays.copyOf(out.bytes(), out.size());
  }

  private static void refused(byte[] flex) {
    assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
      assertThrows(SerializationException.class, () -> Values.read(Encoded.NEUTRAL, Encoded.FLEX, flex));
      Form error = new Form("an error", Encoded.NEUTRAL, 0, Encoded.FLEX, true, flex);
      assertEquals(ErrorKind.INTERNAL, Errors.ofValue(error.with(flex)).kind());
    });
  }

  /** The JVM of this test has little memory: what grows without end would not come to its end. */
  @Test
  void hostileFlexBuffers() {
    assertEquals(List.of(List.of(1L, 1L), List.of(1L, 1L)), flatten(vectorsOfVectors(1, 2)));
    for (int[] shape : new int[][] {{12, 8}, {20, 3}, {30, 2}, {5, 8}}) {
      refused(vectorsOfVectors(shape[0], shape[1]));
    }
    for (int offset : new int[] {0, 1, 255}) {
      refused(new byte[] {1, (byte) offset, VECTOR, 2, VECTOR, 1}); // contains itself, or what lies before it
    }
    // One text in a thousand places.
    ByteSink out = new ByteSink();
    out.putLong(100_000);
    out.putBytes("x".repeat(100_000).getBytes(StandardCharsets.US_ASCII));
    out.putZeros(8);
    out.putLong(1000);
    int start = out.size();
    for (int i = 0; i < 1000; ++i) {
      out.putLong(out.size() - 8);
    }
    for (int i = 0; i < 1000; ++i) {
      out.putByte(5 << 2 | 3);
    }
    out.putLong(out.size() - start);
    out.putByte(VECTOR | 3);
    out.putByte(8);
    refused(Arrays.copyOf(out.bytes(), out.size()));
  }

  private static Object flatten(byte[] flex) {
    List<?> outer = (List<?>) Values.read(Encoded.NEUTRAL, Encoded.FLEX, flex);
    return List.of(List.of(1L, 1L), outer.stream().map(inner -> 1L).toList());
  }

  /** Sizes in object streams are believed only as far as there are bytes. */
  @Test
  void objectStreamsThatPromiseHugeArrays() {
    for (Object array : new Object[] {new Holder(), new ArrayList<>(List.of(new Holder())), new Object[] {"x"}}) {
      byte[] bytes = ValueWriter.nativeOrNull(array, 1 << 20);
      int refused = 0;
      for (int at = 0; at + 4 <= bytes.length; ++at) {
        byte[] huge = bytes.clone();
        Arrays.fill(huge, at, at + 4, (byte) 0x7f);
        Form form = new Form("a huge array", Encoded.NATIVE, Language.JAVA.code(), Encoded.OBJECT_STREAM, false, huge);
        refused += read(form, huge) ? 0 : 1;
      }
      assertTrue(refused > bytes.length / 4, refused + " of " + bytes.length);
    }
    // What is true is read, however large.
    int[] large = new int[1 << 20];
    Map<Integer, BitSet> map = new HashMap<>(1 << 16, 0.25f);
    map.put(1, new BitSet());
    Object[] both = (Object[]) Values.roundTrip(new Object[] {large, map, new Holder()});
    assertEquals(map, both[1]);
  }
}
