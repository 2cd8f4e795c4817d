package org.sabir.internal;

import java.util.Arrays;
import java.util.List;
import org.sabir.Language;

/**
 * The values of one call into native code, as bytes and words (sdk-java/native/outgoing.h). Each thread has one, which
 * is used again; a call that is made while a value is being written (a converter that calls tasks) gets its own.
 */
final class CallBuffer {
  private static final ThreadLocal<CallBuffer> OF_THREAD = ThreadLocal.withInitial(CallBuffer::new);
  private static final int PADDING_MAX = 64;

  final ByteSink bytes = new ByteSink();
  long[] words = new long[64];
  int wordCount;
  private boolean busy;
  private int zerosAt; // PADDING_MAX zeros in the bytes; 0: not yet
  private final java.util.ArrayList<Object> keep = new java.util.ArrayList<>();
  private Client client;

  /** For a call of this client. To be given back with {@link #done}. */
  static CallBuffer take(Client client) {
    CallBuffer own = OF_THREAD.get();
    CallBuffer taken = own.busy ? new CallBuffer() : own;
    taken.busy = true;
    taken.client = client;
    taken.bytes.clear();
    taken.bytes.putByte(0); // an offset of 0 would look like no address
    taken.wordCount = 0;
    taken.zerosAt = 0;
    return taken;
  }

  void done() {
    java.lang.ref.Reference.reachabilityFence(keep);
    keep.clear();
    client = null;
    busy = false;
  }

  private void word(long word) {
    if (wordCount == words.length) {
      words = Arrays.copyOf(words, wordCount * 2);
    }
    words[wordCount++] = word;
  }

  /** An argument: an ObjectRef is passed as a reference, anything else as a value. */
  void argument(Object argument, String name, FunctionKey function, int index) {
    word(bytes.size());
    if (name.isEmpty()) {
      word(0);
    } else {
      byte[] nameBytes = Texts.utf8(name);
      word(nameBytes.length);
      bytes.putBytes(nameBytes);
    }
    if (argument instanceof Ref<?> ref) {
      word(pointer(ref));
      return;
    }
    word(0);
    ValueWriter.Readers readers =
        function.language() == Language.JAVA ? ValueWriter.Readers.ANY : ValueWriter.Readers.OTHERS;
    value(argument, new Where(name, function, index), readers);
  }

  /** Made into text only where something goes wrong. */
  private record Where(String name, FunctionKey function, int index) {
    @Override
    public String toString() {
      return "argument " + (name.isEmpty() ? Integer.toString(index + 1) : name) + " of " + function.name();
    }
  }

  void value(Object value, Object where, ValueWriter.Readers readers) {
    Encoded encoded = ValueWriter.write(bytes, value, where, readers);
    keep.add(encoded);
    List<Encoded.Part> more = encoded.more;
    int parts = 1;
    for (Encoded.Part part : more) {
      parts += part.padding() > 0 ? 2 : 1;
    }
    if (encoded.encoding() == Encoded.NULL) {
      parts = 0;
    }
    word(encoded.encoding() | (long) Language.JAVA.code() << 8 | (long) encoded.variant() << 16 | (long) parts << 32);
    List<Object> references = encoded.references();
    word(references.size());
    if (parts > 0) {
      word(-encoded.offset);
      word(encoded.size);
    }
    for (Encoded.Part part : more) {
      if (part.padding() > 0) {
        word(-zeros());
        word(part.padding());
      }
      part(part.bytes());
    }
    for (Object reference : references) {
      word(reference instanceof Ref<?> ref ? pointer(ref) : pointer((Actor<?>) reference) + 1);
    }
  }

  private long pointer(Ref<?> ref) {
    Ref<?> own = ref.in(client);
    keep.add(own);
    return own.pointer();
  }

  private long pointer(Actor<?> actor) {
    Actor<?> own = actor.in(client);
    keep.add(own);
    return own.pointer();
  }

  private void part(Bytes part) {
    long address = part.address();
    if (address == 0) {
      word(-bytes.size());
      byte[] copy = new byte[Math.toIntExact(part.size())];
      part.whole().get(copy);
      bytes.putBytes(copy);
    } else {
      word(address);
    }
    word(part.size());
  }

  private int zeros() {
    if (zerosAt == 0) {
      zerosAt = bytes.size();
      bytes.putZeros(PADDING_MAX);
    }
    return zerosAt;
  }
}
