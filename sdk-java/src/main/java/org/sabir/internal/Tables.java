package org.sabir.internal;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;
import org.sabir.InvalidArgumentException;
import org.sabir.SerializationException;

/** A table of the core (sabir.h): what {@link org.sabir.Table} is made of. */
public final class Tables {
  private final long pointer;

  private Tables(long pointer) {
    this.pointer = pointer;
    Handles.destroyTableWith(this, pointer);
  }

  public static Tables ofStream(long stream) {
    return new Tables(Native.tableFromStream(stream));
  }

  /** Of received bytes: in the store they stay where they are, others are copied. */
  static Tables ofBytes(Bytes data) {
    try {
      if (data instanceof StoreBytes stored) {
        return new Tables(Native.tableFromView(stored.address(), stored.size(), stored.ref()));
      }
      ByteBuffer copy = ByteBuffer.allocateDirect(Math.toIntExact(data.size())).put(data.whole());
      Tables made = new Tables(Native.tableFromView(Native.addressOf(copy), copy.capacity(), 0));
      Reference.reachabilityFence(copy);
      return made;
    } catch (InvalidArgumentException malformed) {
      throw new SerializationException(malformed.getMessage());
    } finally {
      Reference.reachabilityFence(data);
    }
  }

  public void toStream(long stream) {
    Native.tableStream(pointer, stream);
    Reference.reachabilityFence(this);
  }

  /** Rows, columns, batches. */
  public long[] info() {
    long[] info = Native.tableInfo(pointer);
    Reference.reachabilityFence(this);
    return info;
  }

  /** Adds the bytes to be sent, which lie outside of Java. */
  void addParts(List<Encoded.Part> parts) {
    long[] spans = Native.tableParts(pointer);
    for (int i = 0; i < spans.length; i += 2) {
      parts.add(new Encoded.Part(0, new Part(this, spans[i], spans[i + 1])));
    }
  }

  private static final class Part extends Bytes {
    private final Tables table; // what the bytes belong to
    private final long address;
    private final long size;

    Part(Tables table, long address, long size) {
      this.table = table;
      this.address = address;
      this.size = size;
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public long address() {
      return address;
    }

    /** A copy: a buffer would not keep the table. */
    @Override
    public ByteBuffer slice(long offset, int count) {
      java.util.Objects.checkFromIndexSize(offset, count, size);
      byte[] copy = new byte[count];
      Native.copy(address + offset, copy);
      Reference.reachabilityFence(table);
      return ByteBuffer.wrap(copy).asReadOnlyBuffer().order(java.nio.ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public Bytes sub(long offset, long count) {
      java.util.Objects.checkFromIndexSize(offset, count, size);
      return new Part(table, address + offset, count);
    }
  }
}
