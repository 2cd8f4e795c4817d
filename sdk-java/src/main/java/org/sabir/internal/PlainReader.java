package org.sabir.internal;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.DType;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/**
 * Reads plain values (docs/values.md). Integers become Long (BigInteger beyond), lists ArrayList, maps LinkedHashMap,
 * times Instant, or OffsetDateTime if they know their offset. Trusts nothing: any bytes give a value or a
 * SerializationException, and nothing is allocated for items that the bytes cannot hold.
 */
final class PlainReader {
  private static final long SECOND_NS = 1_000_000_000L;
  private static final int ITEMS_RESERVED_MAX = 1024;

  private final ByteBuffer in;
  private final ReferenceTable references;
  private final List<Bytes> buffers;

  PlainReader(ByteBuffer in, ReferenceTable references, List<Bytes> buffers) {
    this.in = in;
    this.references = references;
    this.buffers = buffers;
  }

  Object read() {
    Object value = read(0);
    if (in.hasRemaining()) {
      throw malformed(in.remaining() + " bytes after its end");
    }
    return value;
  }

  private SerializationException malformed(String what) {
    return Malformed.value("plain", in.position(), what);
  }

  private void need(long bytes) {
    if (in.remaining() < bytes) {
      throw malformed("it ends too early");
    }
  }

  private Object read(int depth) {
    need(1);
    byte tag = in.get();
    switch (tag) {
      case PlainTag.NULL:
        return null;
      case PlainTag.TRUE:
        return Boolean.TRUE;
      case PlainTag.FALSE:
        return Boolean.FALSE;
      case PlainTag.INT8:
        need(1);
        return (long) in.get();
      case PlainTag.INT64:
        need(8);
        return in.getLong();
      case PlainTag.UINT64:
        need(8);
        return Numbers.unsigned(in.getLong());
      case PlainTag.BIG_INTEGER:
        return bigInteger();
      case PlainTag.FLOAT64:
        need(8);
        return Double.longBitsToDouble(in.getLong());
      case PlainTag.FLOAT32:
        need(4);
        return Float.intBitsToFloat(in.getInt());
      case PlainTag.TEXT:
        return text();
      case PlainTag.BYTES:
        return bytes();
      case PlainTag.LIST:
      case PlainTag.TUPLE:
        return list(depth);
      case PlainTag.MAP:
        return map(depth);
      case PlainTag.REFERENCE:
        return references.object(reference());
      case PlainTag.ACTOR:
        return references.actor(reference());
      case PlainTag.TIMESTAMP:
        return timestamp();
      case PlainTag.TENSOR:
        return tensor();
      default:
        in.position(in.position() - 1);
        throw malformed("unknown tag " + (tag & 0xff));
    }
  }

  private byte[] bytes() {
    need(4);
    long size = in.getInt() & 0xffffffffL;
    need(size);
    byte[] bytes = new byte[(int) size];
    in.get(bytes);
    return bytes;
  }

  private String text() {
    int at = in.position();
    byte[] bytes = bytes();
    String text = Utf8.decode(bytes);
    if (text == null) {
      in.position(at);
      throw malformed("a text that is not UTF-8");
    }
    return text;
  }

  private Object bigInteger() {
    byte[] littleEndian = bytes();
    if (littleEndian.length == 0) {
      throw malformed("an integer without bytes");
    }
    byte[] bigEndian = new byte[littleEndian.length];
    for (int i = 0; i < bigEndian.length; ++i) {
      bigEndian[i] = littleEndian[bigEndian.length - 1 - i];
    }
    return Numbers.smallest(new BigInteger(bigEndian));
  }

  private int reference() {
    need(4);
    int index = in.getInt();
    if (index < 0 || index >= references.size()) {
      throw malformed("reference " + Integer.toUnsignedString(index) + " of " + references.size());
    }
    return index;
  }

  private Object timestamp() {
    need(12);
    long nanos = in.getLong();
    int offset = in.getInt();
    Instant instant = Instant.ofEpochSecond(Math.floorDiv(nanos, SECOND_NS), Math.floorMod(nanos, SECOND_NS));
    if (offset == PlainTag.NO_OFFSET) {
      return instant;
    }
    try {
      return OffsetDateTime.ofInstant(instant, ZoneOffset.ofTotalSeconds(offset));
    } catch (DateTimeException tooFar) {
      // Java's offsets end at 18 hours; Python's do at 24. The moment is the same.
      if (Math.abs((long) offset) >= 86_400) {
        throw malformed("a timestamp with an offset of " + offset + " seconds");
      }
      return OffsetDateTime.ofInstant(instant, ZoneOffset.UTC);
    }
  }

  // Each item takes a byte at least.
  private int count(int bytesEach) {
    need(4);
    long count = in.getInt() & 0xffffffffL;
    if (count > in.remaining() / bytesEach) {
      throw malformed(count + " items in " + in.remaining() + " bytes");
    }
    return (int) count;
  }

  private void enter(int depth) {
    if (depth >= PlainTag.DEPTH_MAX) {
      throw malformed("more than " + PlainTag.DEPTH_MAX + " containers within each other");
    }
  }

  private List<Object> list(int depth) {
    enter(depth);
    int count = count(1);
    List<Object> list = new ArrayList<>(Math.min(count, ITEMS_RESERVED_MAX));
    for (int i = 0; i < count; ++i) {
      list.add(read(depth + 1));
    }
    return list;
  }

  private Map<Object, Object> map(int depth) {
    enter(depth);
    int count = count(2);
    Map<Object, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < count; ++i) {
      need(1);
      byte tag = in.get(in.position());
      if (tag == PlainTag.LIST || tag == PlainTag.MAP || tag == PlainTag.TENSOR) {
        throw malformed("a key that is a list, a map or a tensor");
      }
      Object key = read(depth + 1);
      map.put(key, read(depth + 1));
    }
    return map;
  }

  private Tensor tensor() {
    need(8);
    int code = in.get() & 0xff;
    int dimensions = in.get() & 0xff;
    in.getShort();
    int buffer = in.getInt();
    if (dimensions > Layout.DIMENSIONS_MAX) {
      throw malformed("a tensor with " + dimensions + " dimensions");
    }
    need(dimensions * 16L);
    long[] shape = longs(dimensions);
    long[] strides = longs(dimensions);
    DType type = DType.of(code);
    if (type == null) {
      throw malformed("a tensor with unknown items (type " + code + ")");
    }
    if (buffer < 0 || buffer >= buffers.size()) {
      throw malformed("buffer " + Integer.toUnsignedString(buffer) + " of " + buffers.size());
    }
    return Tensor.of(type, shape, strides, buffers.get(buffer));
  }

  private long[] longs(int count) {
    long[] numbers = new long[count];
    for (int i = 0; i < count; ++i) {
      numbers[i] = in.getLong();
    }
    return numbers;
  }
}
