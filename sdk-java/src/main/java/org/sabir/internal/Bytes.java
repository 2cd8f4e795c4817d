package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Raw memory: a Java buffer, or a range of the store that is longer than a Java buffer can be. Never written to. */
public abstract class Bytes {
  /** How many. */
  public abstract long size();

  /** A read-only, little-endian view, which keeps the memory alive. */
  public abstract ByteBuffer slice(long offset, int size);

  /** Where it begins, for native code; 0 if it lies in Java's heap. */
  public abstract long address();

  /** A part; the caller has checked that it lies inside. */
  public abstract Bytes sub(long offset, long size);

  /** What lies between the buffer's position and limit. */
  public static Bytes of(ByteBuffer buffer) {
    return new OfBuffer(buffer.slice().order(ByteOrder.LITTLE_ENDIAN));
  }

  public static Bytes of(byte[] array) {
    return of(ByteBuffer.wrap(array));
  }

  /** All of it as one buffer; only for what is known to be short. */
  public final ByteBuffer whole() {
    return slice(0, Math.toIntExact(size()));
  }

  private static final class OfBuffer extends Bytes {
    private final ByteBuffer buffer;
    private long address = -1;

    OfBuffer(ByteBuffer buffer) {
      this.buffer = buffer;
    }

    @Override
    public long size() {
      return buffer.capacity();
    }

    @Override
    public ByteBuffer slice(long offset, int size) {
      return buffer.slice(Math.toIntExact(offset), size).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public long address() {
      if (address < 0) {
        address = buffer.isDirect() ? Native.addressOf(buffer) : 0;
      }
      return address;
    }

    @Override
    public Bytes sub(long offset, long size) {
      return of(buffer.slice(Math.toIntExact(offset), Math.toIntExact(size)));
    }
  }
}
