package org.sabir.internal;

import java.util.List;
import org.sabir.DType;
import org.sabir.SerializationException;
import org.sabir.Table;
import org.sabir.Tensor;

/**
 * Writes values of any kind into a sink: the first form that fits of null, tensor, plain, Java's own (docs/values.md).
 */
public final class ValueWriter {
  private static final int ALIGNMENT = 64;

  /** Who reads a value. */
  public enum Readers {
    /** Java, or nobody knows: what only Java knows is written in its own form. */
    ANY,
    /** Another language: what only Java knows is refused. */
    OTHERS,
    /** Another language, which may only pass it on: Java's own form, with a text that says what was in the way. */
    OTHERS_FIRST
  }

  private ValueWriter() {}

  public static Encoded write(ByteSink out, Object value, Object where) {
    return write(out, value, where, Readers.ANY);
  }

  /**
   * Appends a value.
   *
   * @param where names the value in errors: "argument 2 of Foo.bar"
   */
  public static Encoded write(ByteSink out, Object value, Object where, Readers readers) {
    Encoded encoded = new Encoded();
    encoded.offset = out.size();
    if (value == null) {
      encoded.encoding = Encoded.NULL;
    } else if (value instanceof Tensor tensor) {
      tensor(out, encoded, tensor);
    } else if (value instanceof Table table) {
      encoded.encoding = Encoded.NEUTRAL;
      encoded.variant = Encoded.TABLE;
      table.tables().addParts(encoded.more);
    } else if (!(value instanceof byte[]) && TensorArrays.typeOf(value) != null) {
      tensor(out, encoded, PlainWriter.arrayTensor(value));
    } else {
      plainOrNative(out, encoded, value, where, readers);
    }
    encoded.size = out.size() - encoded.offset;
    return encoded;
  }

  private static void plainOrNative(ByteSink out, Encoded encoded, Object value, Object where, Readers readers) {
    PlainWriter plain = new PlainWriter(out, encoded.references, readers != Readers.ANY);
    if (!plain.write(value)) {
      out.truncate(encoded.offset);
      encoded.references.clear();
      String refusal = where + ": " + plain.reason()
          + " cannot be sent to another language: send numbers, text, lists, "
          + "maps, tensors or references instead, or register a Converter for its class";
      if (readers == Readers.OTHERS) {
        throw new SerializationException(refusal);
      }
      encoded.encoding = Encoded.NATIVE;
      encoded.variant = Encoded.OBJECT_STREAM | Encoded.NOTED;
      note(out, encoded.offset, refusal); // others may get a reference to it
      ObjectStreams.write(out, value, encoded.references, where, plain.reason());
      return;
    }
    encoded.encoding = Encoded.NEUTRAL;
    encoded.variant = Encoded.PLAIN;
    if (!plain.buffers.isEmpty()) {
      withBuffers(out, encoded, plain.buffers);
    }
  }

  private static void note(ByteSink out, int offset, String text) {
    byte[] bytes = Texts.utf8(text);
    out.putInt(bytes.length);
    out.putBytes(bytes);
    out.putZeros(-(out.size() - offset) & ALIGNMENT - 1);
  }

  private static void tensor(ByteSink out, Encoded encoded, Tensor given) {
    Tensor tensor = given.isContiguous() || given.isFortranContiguous() ? given : given.contiguous();
    long dataBytes = tensor.size() * tensor.dtype().itemBytes();
    encoded.encoding = Encoded.TENSOR;
    int padding = tensorHead(out, tensor.dtype(), tensor.shape(), tensor.strides(), dataBytes);
    encoded.more.add(new Encoded.Part(padding, tensor.bytes().sub(0, dataBytes)));
  }

  /** Appends what stands before a tensor's items; how many zeros follow before they begin. */
  private static int tensorHead(ByteSink out, DType dtype, long[] shape, long[] strides, long dataBytes) {
    int head = 16 + 16 * shape.length;
    int padding = -head & ALIGNMENT - 1;
    out.putByte(dtype.code());
    out.putByte(shape.length);
    out.putShort(0);
    out.putInt(head + padding);
    out.putLong(dataBytes);
    for (long length : shape) {
      out.putLong(length);
    }
    for (long stride : strides) {
      out.putLong(stride);
    }
    return padding;
  }

  /** What stands before the items of a Java array, with the zeros. */
  static byte[] arrayHead(DType dtype, int items) {
    ByteSink out = new ByteSink();
    long itemBytes = dtype.itemBytes();
    out.putZeros(tensorHead(out, dtype, new long[] {items}, new long[] {itemBytes}, items* itemBytes));
    return java.util.Arrays.copyOf(out.bytes(), out.size());
  }

  // The stream lies in the sink already; the head that belongs before it is known only now.
  private static void withBuffers(ByteSink out, Encoded encoded, List<Bytes> buffers) {
    int streamBytes = out.size() - encoded.offset;
    byte[] stream = java.util.Arrays.copyOfRange(out.bytes(), encoded.offset, out.size());
    out.truncate(encoded.offset);
    encoded.variant = Encoded.PLAIN_WITH_BUFFERS;
    out.putLong(streamBytes);
    out.putInt(buffers.size());
    out.putInt(0);
    for (Bytes buffer : buffers) {
      out.putLong(buffer.size());
    }
    out.putBytes(stream);
    long at = out.size() - encoded.offset;
    for (Bytes buffer : buffers) {
      int padding = (int) (-at & ALIGNMENT - 1);
      encoded.more.add(new Encoded.Part(padding, buffer));
      at += padding + buffer.size();
    }
  }

  /** Java's own form of an exception; null if it has none. */
  static byte[] nativeOrNull(Object value, int bytesMax) {
    ByteSink out = new ByteSink();
    try {
      ObjectStreams.write(out, value, new java.util.ArrayList<>(), "", "");
    } catch (SerializationException unsuitable) {
      return null;
    }
    return out.size() <= bytesMax ? java.util.Arrays.copyOf(out.bytes(), out.size()) : null;
  }
}
