package org.sabir.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.sabir.SabirException;

/** What native code says of received values, as words and bytes (sdk-java/native/incoming.h). One per thread. */
final class ViewBuffer {
  private static final ThreadLocal<ViewBuffer> OF_THREAD = ThreadLocal.withInitial(ViewBuffer::new);

  long[] words = new long[64];
  final byte[] room = new byte[4096];
  private final ByteBuffer roomBuffer = ByteBuffer.wrap(room).order(ByteOrder.LITTLE_ENDIAN);
  int at;

  static ViewBuffer ofThread() {
    return OF_THREAD.get();
  }

  /** Room for as many words as native code asked for. */
  void grow(int wanted) {
    words = new long[wanted + 16];
  }

  long next() {
    return words[at++];
  }

  String nextText() {
    int offset = (int) next();
    long address = next();
    int size = Math.toIntExact(next());
    byte[] bytes = new byte[size];
    if (offset >= 0) {
      System.arraycopy(room, offset, bytes, 0, size);
    } else {
      Native.copy(address, bytes);
    }
    return Texts.ofUtf8(bytes);
  }

  /**
   * The value that the next words describe. It is read before this returns.
   *
   * @param holder a reference that keeps bytes in the store alive; 0: they are copied
   * @throws SabirException of an error value
   */
  Object nextValue(Client client, long holder) {
    long head = next();
    long address = next();
    long size = next();
    int offset = (int) next();
    int referenceCount = Math.toIntExact(next());
    int encoding = (int) (head & 0xff);
    int variant = (int) (head >> 16 & 0xff);
    boolean isError = (head >> 24 & 1) != 0;
    boolean inStore = (head >> 25 & 1) != 0;
    // What users' code may run beside, or what keeps the bytes, must not read from the shared room.
    boolean keepsBytes = encoding > Encoded.NEUTRAL || variant == Encoded.PLAIN_WITH_BUFFERS;
    Bytes data;
    if (offset >= 0 && !keepsBytes) {
      data = Bytes.of(roomBuffer.slice(offset, (int) size));
    } else if (inStore && holder != 0 && offset < 0) {
      data = StoreBytes.of(address, size, holder);
    } else {
      byte[] copy = new byte[Math.toIntExact(size)];
      Native.copy(address, copy);
      data = Bytes.of(copy);
    }
    ReferenceTable references = ReferenceTable.EMPTY;
    if (referenceCount > 0) {
      long[] pointers = new long[referenceCount];
      System.arraycopy(words, at, pointers, 0, referenceCount);
      at += referenceCount;
      references = new Received(client, pointers);
    }
    Incoming incoming = new Incoming(encoding, (int) (head >> 8 & 0xff), variant, isError, data, references);
    if (isError) {
      throw Errors.ofValue(incoming);
    }
    return ValueReader.read(incoming);
  }

  /** References that came with a value: borrowed from it. */
  private record Received(Client client, long[] pointers) implements ReferenceTable {
    @Override
    public int size() {
      return pointers.length;
    }

    @Override
    public Ref<?> object(int index) {
      if ((pointers[index] & 1) != 0) {
        throw Malformed.value("plain", 0, "an actor's handle in the place of a reference");
      }
      return new Ref<>(client, Native.retainRef(pointers[index]), Object.class);
    }

    @Override
    public Actor<?> actor(int index) {
      return new Actor<>(client, Native.refAsActor(pointers[index] & ~1L));
    }
  }
}
