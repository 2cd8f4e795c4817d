package org.sabir.internal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.sabir.DType;
import org.sabir.Language;
import org.sabir.SerializationException;
import org.sabir.Table;
import org.sabir.Tensor;

/** Reads values of any kind. Any bytes give a value or a SerializationException. */
public final class ValueReader {
  private static final int ALIGNMENT = 64;
  private static final int TENSOR_HEAD_BYTES = 16;

  private ValueReader() {}

  /** The value as the most general type of Java for it (PlainReader); error values are not for this. */
  public static Object read(Incoming value) {
    switch (value.encoding()) {
      case Encoded.NULL:
        return null;
      case Encoded.NEUTRAL:
        return neutral(value);
      case Encoded.TENSOR:
        return tensor(value.data());
      case Encoded.NATIVE:
        if (value.language() != Language.JAVA.code()) {
          throw ObjectStreams.foreign(value.language(), note(value));
        }
        if ((value.variant() & ~Encoded.NOTED) == Encoded.OBJECT_STREAM) {
          long begin = (value.variant() & Encoded.NOTED) == 0 ? 0 : noteBytes(value.data());
          return ObjectStreams.read(stream(value.data(), begin, value.data().size() - begin), value.references());
        }
        break;
      default:
        break;
    }
    throw new SerializationException("a value of an unknown form (encoding " + value.encoding() + ", variant "
        + value.variant() + "): was it written by a newer Sabir?");
  }

  private static String note(Incoming value) {
    if ((value.variant() & Encoded.NOTED) == 0) {
      return "";
    }
    noteBytes(value.data());
    ByteBuffer text = value.data().slice(4, value.data().slice(0, 4).getInt(0));
    byte[] bytes = new byte[text.remaining()];
    text.get(bytes);
    return Texts.ofUtf8(bytes);
  }

  /** How long the text of a native value is, with its padding. */
  private static long noteBytes(Bytes data) {
    long size = data.size() < 4 ? 0 : data.slice(0, 4).getInt(0) & 0xffffffffL;
    long padded = 4 + size + (-(4 + size) & ALIGNMENT - 1);
    if (data.size() < 4 || size > Integer.MAX_VALUE || padded > data.size()) {
      throw Malformed.value("native", 0, "its text is longer than its bytes");
    }
    return padded;
  }

  private static Object neutral(Incoming value) {
    Bytes data = value.data();
    switch (value.variant()) {
      case Encoded.FLEX:
        return FlexReader.read(stream(data, 0, data.size()));
      case Encoded.PLAIN:
        return new PlainReader(stream(data, 0, data.size()), value.references(), List.of()).read();
      case Encoded.PLAIN_WITH_BUFFERS:
        return withBuffers(value);
      case Encoded.TABLE:
        return new Table(Tables.ofBytes(data));
      default:
        throw new SerializationException(
            "a neutral value of an unknown form (variant " + value.variant() + "): was it written by a newer Sabir?");
    }
  }

  private static ByteBuffer stream(Bytes data, long offset, long size) {
    if (size > Integer.MAX_VALUE) {
      throw new SerializationException("a value of " + size + " bytes is more than Java can hold in one object");
    }
    return data.slice(offset, (int) size);
  }

  private static Object withBuffers(Incoming value) {
    Bytes data = value.data();
    long size = data.size();
    if (size < 16) {
      throw Malformed.value("plain", 0, "it ends too early");
    }
    ByteBuffer head = data.slice(0, 16);
    long streamBytes = head.getLong(0);
    long count = head.getInt(8) & 0xffffffffL;
    if (count > (size - 16) / 8) {
      throw Malformed.value("plain", 8, count + " buffers in " + size + " bytes");
    }
    long at = 16 + count * 8;
    if (streamBytes < 0 || streamBytes > size - at) {
      throw Malformed.value("plain", 0, "it is longer than its bytes");
    }
    ByteBuffer sizes = data.slice(16, (int) count * 8);
    ByteBuffer in = stream(data, at, streamBytes);
    at += streamBytes;
    List<Bytes> buffers = new ArrayList<>((int) Math.min(count, 1024));
    for (int i = 0; i < count; ++i) {
      long bufferBytes = sizes.getLong(i * 8);
      long start = at + (-at & ALIGNMENT - 1);
      if (bufferBytes < 0 || start > size || bufferBytes > size - start) {
        throw Malformed.value("plain", 16 + i * 8L, "a buffer that is longer than its bytes");
      }
      buffers.add(data.sub(start, bufferBytes));
      at = start + bufferBytes;
    }
    return new PlainReader(in, value.references(), buffers).read();
  }

  private static Tensor tensor(Bytes data) {
    long size = data.size();
    if (size < TENSOR_HEAD_BYTES) {
      throw Malformed.value("tensor", 0, "it ends too early");
    }
    ByteBuffer head = data.slice(0, TENSOR_HEAD_BYTES);
    DType type = DType.of(head.get(0) & 0xff);
    int dimensions = head.get(1) & 0xff;
    long dataOffset = head.getInt(4) & 0xffffffffL;
    long dataBytes = head.getLong(8);
    if (type == null) {
      throw Malformed.value("tensor", 0, "unknown items (type " + (head.get(0) & 0xff) + ")");
    }
    if (dimensions > Layout.DIMENSIONS_MAX || dataOffset < TENSOR_HEAD_BYTES + 16L * dimensions || dataOffset > size
        || dataBytes < 0 || dataBytes > size - dataOffset) {
      throw Malformed.value("tensor", 1, "it is longer than its bytes");
    }
    ByteBuffer numbers = data.slice(TENSOR_HEAD_BYTES, 16 * dimensions);
    long[] shape = new long[dimensions];
    long[] strides = new long[dimensions];
    numbers.asLongBuffer().get(shape).get(strides);
    return Tensor.of(type, shape, strides, data.sub(dataOffset, dataBytes));
  }
}
