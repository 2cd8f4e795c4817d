package org.sabir.internal;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Any bytes give a value or a SerializationException: no other exception, no endless loop, no huge allocation. */
final class MalformedTest {
  private static final int ROUNDS = 40_000;

  // Set to repeat a failure.
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

  private int read(int encoding, int variant, byte[] bytes) {
    try {
      Values.read(encoding, variant, bytes);
      return 1;
    } catch (SerializationException expected) {
      return 0;
    } catch (Throwable other) {
      return fail(
          "seed " + seed + ", encoding " + encoding + ", variant " + variant + ": " + HexFormat.of().formatHex(bytes),
          other);
    }
  }

  @Test
  void damagedValues() {
    byte[][] samples = new byte[SAMPLES.size() + 1][];
    int[] encodings = new int[samples.length];
    int[] variants = new int[samples.length];
    for (int i = 0; i < SAMPLES.size(); ++i) {
      Incoming written = Values.written(SAMPLES.get(i));
      samples[i] = new byte[(int) written.data().size()];
      written.data().whole().get(samples[i]);
      encodings[i] = written.encoding();
      variants[i] = written.variant();
    }
    int last = samples.length - 1;
    Map<String, Object> cause = Map.of("kind", 12L, "message", "why", "native", new byte[] {1, 2, 3});
    samples[last] = FlexMapWriter.write(Map.of("kind", 12L, "message", "text", "stack", "here", "cause", cause));
    encodings[last] = Encoded.NEUTRAL;
    variants[last] = Encoded.FLEX;
    int readable = 0;
    for (int round = 0; round < ROUNDS; ++round) {
      int which = round % samples.length;
      readable += read(encodings[which], variants[which], damaged(samples[which]));
    }
    System.out.println("seed " + seed + ": " + readable + " of " + ROUNDS + " damaged values were still values");
    assertTrue(readable > ROUNDS / 100 && readable < ROUNDS, "seed " + seed + ": " + readable);
  }

  @Test
  void noise() {
    byte[] tags = "NTFiIUnfesbltdrhDa".getBytes();
    for (int round = 0; round < ROUNDS; ++round) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      for (int i = 0; i < bytes.length; ++i) {
        if (random.nextInt(3) == 0) {
          bytes[i] = random.nextBoolean() ? tags[random.nextInt(tags.length)] : (byte) random.nextInt(4);
        }
      }
      read(random.nextInt(3), random.nextInt(4), bytes);
    }
  }
}
