package conformance;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.zip.CRC32;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Table;
import org.sabir.Tensor;

/** A value as text, in the form that all three languages of this suite write: see ../scenarios.py. */
final class Described {
  private static final int SHORT_BYTES = 64;
  private static final BigInteger UINT_END = BigInteger.ONE.shiftLeft(64);

  private Described() {}

  static String text(Object value) {
    if (value == null || value instanceof Boolean || value instanceof Byte || value instanceof Short
        || value instanceof Integer || value instanceof Long) {
      return String.valueOf(value);
    } else if (value instanceof BigInteger big) {
      return integer(big);
    } else if (value instanceof Float || value instanceof Double) {
      return String.format("float:%016x", Double.doubleToRawLongBits(((Number) value).doubleValue()));
    } else if (value instanceof String text) {
      return quoted(text.getBytes(StandardCharsets.UTF_8));
    } else if (value instanceof byte[] bytes) {
      return "bytes:" + content(ByteBuffer.wrap(bytes));
    } else if (value instanceof Instant time) {
      return time(time, 0);
    } else if (value instanceof OffsetDateTime time) {
      return time(time.toInstant(), time.getOffset().getTotalSeconds());
    } else if (value instanceof List<?> list) {
      StringJoiner items = new StringJoiner(", ", "[", "]");
      list.forEach(item -> items.add(text(item)));
      return items.toString();
    } else if (value instanceof Map<?, ?> map) {
      StringJoiner entries = new StringJoiner(", ", "{", "}");
      map.forEach((key, item) -> entries.add(text(key) + ": " + text(item)));
      return entries.toString();
    } else if (value instanceof Tensor tensor) {
      return tensor(tensor);
    } else if (value instanceof Table) { // columns are read by arrow-java, which is not here
      return Sabir.task(Callee.function("python", "describe", String.class), value).remote().get(Callee.WAIT);
    } else if (value instanceof ObjectRef<?> ref) {
      return "ref(" + text(ref.get(Duration.ofSeconds(60))) + ")";
    } else if (value instanceof ActorHandle<?>) {
      return "actor";
    }
    throw new IllegalArgumentException("a value of " + value.getClass() + ", which no scenario has");
  }

  private static String integer(BigInteger value) {
    boolean is64 = value.bitLength() < 64 || value.signum() > 0 && value.compareTo(UINT_END) < 0;
    return is64 ? value.toString() : "big:" + HexFormat.of().formatHex(value.toByteArray());
  }

  private static String quoted(byte[] utf8) {
    if (utf8.length > SHORT_BYTES) {
      return "text:" + content(ByteBuffer.wrap(utf8));
    }
    StringBuilder text = new StringBuilder("\"");
    for (byte b : utf8) {
      if (b >= 0x20 && b < 0x7f && b != '"' && b != '\\') {
        text.append((char) b);
      } else {
        text.append(String.format("\\x%02x", b));
      }
    }
    return text.append('"').toString();
  }

  private static String content(ByteBuffer bytes) {
    int size = bytes.remaining();
    if (size > SHORT_BYTES) {
      CRC32 crc = new CRC32();
      crc.update(bytes);
      return String.format("%d:%08x", size, crc.getValue());
    }
    byte[] copy = new byte[size];
    bytes.get(copy);
    return HexFormat.of().formatHex(copy);
  }

  private static String time(Instant time, int offsetSeconds) {
    BigInteger nanos = BigInteger.valueOf(time.getEpochSecond())
                           .multiply(BigInteger.valueOf(1_000_000_000))
                           .add(BigInteger.valueOf(time.getNano()));
    return "time:" + nanos + ":" + offsetSeconds;
  }

  private static String tensor(Tensor tensor) {
    StringJoiner shape = new StringJoiner(",", "[", "]");
    for (long length : tensor.shape()) {
      shape.add(Long.toString(length));
    }
    return "tensor:" + tensor.dtype().name().toLowerCase(java.util.Locale.ROOT) + ":" + shape + ":"
        + content(tensor.contiguous().buffer());
  }
}
