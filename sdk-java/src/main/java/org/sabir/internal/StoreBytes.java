package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Bytes in the store, seen through windows: buffers as long as Java allows, a GiB apart. A slice or a view of a window
 * refers to it, and each window holds a reference of the object; so the object lives until no buffer is left.
 */
final class StoreBytes extends Bytes {
  private static final int WINDOW_BITS = 30;
  private static final long WINDOW = 1L << WINDOW_BITS;

  private final long address;
  private final long size;
  private final Windows windows;
  private final long start; // in the windows

  private StoreBytes(Windows windows, long start, long size) {
    this.windows = windows;
    this.start = start;
    this.size = size;
    this.address = windows.address + start;
  }

  /** Takes a reference of its own. */
  static StoreBytes of(long address, long size, long ref) {
    return new StoreBytes(new Windows(address, size, Native.retainRef(ref)), 0, size);
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long address() {
    return address;
  }

  /** Borrowed: as long as these bytes live. */
  long ref() {
    return windows.ref;
  }

  @Override
  public ByteBuffer slice(long offset, int count) {
    java.util.Objects.checkFromIndexSize(offset, count, size);
    return windows.slice(start + offset, count).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public Bytes sub(long offset, long count) {
    java.util.Objects.checkFromIndexSize(offset, count, size);
    return new StoreBytes(windows, start + offset, count);
  }

  private static final class Windows {
    final long address;
    private final long size;
    private final long ref;
    private final ByteBuffer[] buffers;

    Windows(long address, long size, long ref) {
      this.address = address;
      this.size = size;
      this.ref = ref;
      this.buffers = new ByteBuffer[Math.toIntExact((size >> WINDOW_BITS) + 1)];
      if (size >= Pinned.LARGE_BYTES) {
        Handles.releaseViewWith(this, ref, address, size);
      } else {
        Handles.releaseRefWith(this, ref);
      }
    }

    ByteBuffer slice(long offset, int count) {
      int index = (int) (offset >> WINDOW_BITS);
      long inside = offset & WINDOW - 1;
      if (inside + count > Integer.MAX_VALUE) {
        return map(offset, count);
      }
      ByteBuffer window;
      synchronized (buffers) {
        window = buffers[index];
        if (window == null) {
          long begin = (long) index << WINDOW_BITS;
          window = map(begin, (int) Math.min(Integer.MAX_VALUE, size - begin));
          buffers[index] = window;
        }
      }
      return window.slice((int) inside, count);
    }

    private ByteBuffer map(long begin, int count) {
      ByteBuffer buffer = Native.bufferAt(address + begin, count);
      Handles.releaseRefWith(buffer, Native.retainRef(ref));
      return buffer;
    }
  }
}
