package org.sabir.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.sabir.SerializationException;

/** A growing array of little-endian numbers. One per thread is used again and again, for the bytes of a whole call. */
public final class ByteSink {
  private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final int SIZE_MAX = Integer.MAX_VALUE - 64;

  private byte[] bytes = new byte[256];
  private int size;

  public byte[] bytes() {
    return bytes;
  }

  public int size() {
    return size;
  }

  /** Forgets what was written; a very long array goes, too. */
  public void clear() {
    size = 0;
    if (bytes.length > 1 << 20) {
      bytes = new byte[256];
    }
  }

  /** Takes back what was written since. */
  public void truncate(int earlierSize) {
    size = earlierSize;
  }

  private int room(int more) {
    int at = size;
    if (more > bytes.length - at) {
      if (more > SIZE_MAX - at) {
        throw new SerializationException("the values of one call take more than 2 GiB: put the large ones first");
      }
      bytes = Arrays.copyOf(bytes, (int) Math.min(SIZE_MAX, Math.max((long) at + more, bytes.length * 2L)));
    }
    size = at + more;
    return at;
  }

  public void putByte(int value) {
    int at = room(1); // first: it may make another array
    bytes[at] = (byte) value;
  }

  public void putShort(int value) {
    putByte(value);
    putByte(value >> 8);
  }

  public void putInt(int value) {
    int at = room(4);
    INT.set(bytes, at, value);
  }

  public void putLong(long value) {
    int at = room(8);
    LONG.set(bytes, at, value);
  }

  public void putBytes(byte[] source) {
    putBytes(source, 0, source.length);
  }

  public void putBytes(byte[] source, int from, int count) {
    int at = room(count);
    System.arraycopy(source, from, bytes, at, count);
  }

  public void putZeros(int count) {
    int at = room(count);
    Arrays.fill(bytes, at, at + count, (byte) 0);
  }

  public void setInt(int at, int value) {
    INT.set(bytes, at, value);
  }

  /** Zeros up to the next multiple, counted from `start`. */
  public void align(int start, int multiple) {
    putZeros(-(size - start) & multiple - 1);
  }

  /** Size and UTF-8 bytes. A surrogate without its other half is no character: IllegalArgumentException. */
  public void putText(String text) {
    int sizeAt = room(4);
    int length = text.length();
    int at = room(length); // as long as all is ASCII; Latin text is, mostly
    int i = 0;
    for (; i < length; ++i) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        break;
      }
      bytes[at + i] = (byte) c;
    }
    if (i < length) {
      size = at + i;
      putNonAscii(text, i);
    }
    setInt(sizeAt, size - sizeAt - 4);
  }

  private void putNonAscii(String text, int from) {
    int length = text.length();
    for (int i = from; i < length; ++i) {
      char c = text.charAt(i);
      if (c < 0x80) {
        putByte(c);
      } else if (c < 0x800) {
        putByte(0xc0 | c >> 6);
        putByte(0x80 | c & 0x3f);
      } else if (!Character.isSurrogate(c)) {
        putByte(0xe0 | c >> 12);
        putByte(0x80 | c >> 6 & 0x3f);
        putByte(0x80 | c & 0x3f);
      } else {
        if (!Character.isHighSurrogate(c) || i + 1 == length || !Character.isLowSurrogate(text.charAt(i + 1))) {
          throw new IllegalArgumentException(
              String.format("character %d is half of a surrogate pair (\\u%04x)", i, (int) c));
        }
        int point = Character.toCodePoint(c, text.charAt(++i));
        putByte(0xf0 | point >> 18);
        putByte(0x80 | point >> 12 & 0x3f);
        putByte(0x80 | point >> 6 & 0x3f);
        putByte(0x80 | point & 0x3f);
      }
    }
  }
}
