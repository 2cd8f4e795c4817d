package org.sabir.internal;

import java.util.ArrayList;
import java.util.List;

/**
 * A value ready to be sent: how it is written, its bytes as parts one after the other, and the references its bytes
 * name by index. Parts lie in the sink that it was written to, or are memory of their own.
 */
public final class Encoded {
  public static final int NULL = 0;
  public static final int NEUTRAL = 1;
  public static final int TENSOR = 2;
  public static final int NATIVE = 3;

  /** Variants of NEUTRAL. */
  public static final int FLEX = 0;

  public static final int PLAIN = 1;
  public static final int PLAIN_WITH_BUFFERS = 2;
  public static final int TABLE = 3;

  /** The variant of (NATIVE, Java): an object stream. */
  public static final int OBJECT_STREAM = 1;

  /** With this bit of a native variant a text for readers in other languages comes first (docs/values.md). */
  public static final int NOTED = 0x80;

  int encoding;
  int variant;
  int offset; // in the sink: the first part
  int size;
  final List<Part> more = new ArrayList<>(0);
  final List<Object> references = new ArrayList<>(0); // ObjectRef or ActorHandle

  /** A part behind the first: padding and a buffer. */
  record Part(int padding, Bytes bytes) {}

  public int encoding() {
    return encoding;
  }

  public int variant() {
    return variant;
  }

  public List<Object> references() {
    return references;
  }

  /** All bytes in one array. For tests and error values. */
  public byte[] toBytes(ByteSink sink) {
    ByteSink out = new ByteSink();
    out.putBytes(sink.bytes(), offset, size);
    for (Part part : more) {
      out.putZeros(part.padding);
      byte[] bytes = new byte[Math.toIntExact(part.bytes.size())];
      part.bytes.whole().get(bytes);
      out.putBytes(bytes);
    }
    return java.util.Arrays.copyOf(out.bytes(), out.size());
  }
}
