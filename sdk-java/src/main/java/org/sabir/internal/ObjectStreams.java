package org.sabir.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.NotSerializableException;
import java.io.ObjectInputFilter;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.ObjectStreamClass;
import java.io.OutputStream;
import java.io.Serializable;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.Language;
import org.sabir.ObjectRef;
import org.sabir.SabirException;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/** Java's own form of values: Java serialization, in which references stand as indices into the value's table. */
final class ObjectStreams {
  private ObjectStreams() {}

  /** What stands for a reference, with the class of its value as far as it is known, or a handle. */
  private record Reference(int index, boolean isActor, Class<?> type) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /** What stands for a tensor: its bytes, in C order. */
  private record TensorCopy(org.sabir.DType dtype, long[] shape, byte[] data) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Appends the object stream.
   *
   * @param where names the value in errors
   * @param neutralReason why it is not written as what every language has
   */
  static void write(ByteSink out, Object value, List<Object> references, Object where, String neutralReason) {
    int before = out.size();
    try (Output stream = new Output(out, references)) {
      stream.writeObject(value);
    } catch (NotSerializableException unsuitable) {
      out.truncate(before);
      throw new SerializationException((where.equals("") ? "" : where + ": ")
              + (neutralReason.contains(unsuitable.getMessage())
                      ? neutralReason
                      : neutralReason + " holds a " + unsuitable.getMessage() + ", which")
              + " cannot be sent: it is neither what every language has (numbers, text, lists, maps, tensors, references) nor"
              + " java.io.Serializable. Implement Serializable, make the field transient, or register a Converter",
          unsuitable);
    } catch (IOException | RuntimeException | StackOverflowError broken) {
      out.truncate(before);
      if (broken instanceof SabirException own) {
        throw own;
      }
      throw new SerializationException(
          (where.equals("") ? "" : where + ": ") + neutralReason + " cannot be sent: " + Texts.shortened(broken),
          broken);
    }
  }

  /** Reads it; classes are found by the thread's context class loader. */
  static Object read(ByteBuffer in, ReferenceTable references) {
    try (ObjectInputStream stream = new Input(in, references)) {
      return stream.readObject();
    } catch (ClassNotFoundException missing) {
      throw new SerializationException("a value of Java's own form has the class " + missing.getMessage()
              + ", which is not on the class path here"
              + " (" + CodePath.describe() + ")",
          missing);
    } catch (SabirException own) {
      throw own;
    } catch (IOException | RuntimeException | StackOverflowError | OutOfMemoryError | LinkageError broken) {
      throw new SerializationException("a value of Java's own form cannot be read: " + Texts.shortened(broken), broken);
    }
  }

  /**
   * Arrays that the bytes cannot hold are refused before they are made: each item takes a byte at least, and the table
   * of a hash map has at most eight places for one of its entries.
   */
  private static ObjectInputFilter boundedBy(int bytes) {
    long itemsMax = 8L * bytes + 1024;
    return info
        -> info.arrayLength() > itemsMax ? ObjectInputFilter.Status.REJECTED : ObjectInputFilter.Status.UNDECIDED;
  }

  static SerializationException foreign(int language, String note) {
    Language known = Language.of(language);
    String name = known == Language.NONE ? "a later language" : known.displayName();
    return new SerializationException("the value is in a form that only " + name + " reads"
        + (note.isEmpty() ? "; let it be numbers, text, lists, maps or tensors there" : ": " + note));
  }

  private static final class Output extends ObjectOutputStream {
    private final List<Object> references;

    Output(ByteSink out, List<Object> references) throws IOException {
      super(new SinkStream(out));
      this.references = references;
      enableReplaceObject(true);
    }

    @Override
    protected Object replaceObject(Object object) {
      if (object instanceof ObjectRef) {
        return new Reference(
            References.add(references, object), false, object instanceof Ref<?> ref ? ref.rawType() : null);
      } else if (object instanceof ActorHandle) {
        return new Reference(References.add(references, object), true, null);
      } else if (object instanceof Tensor tensor) {
        Tensor contiguous = tensor.contiguous();
        byte[] data = new byte[Math.toIntExact(contiguous.size() * contiguous.dtype().itemBytes())];
        contiguous.buffer(0, data.length).get(data);
        return new TensorCopy(tensor.dtype(), tensor.shape(), data);
      }
      return object;
    }
  }

  private static final class Input extends ObjectInputStream {
    private final ReferenceTable references;

    Input(ByteBuffer in, ReferenceTable references) throws IOException {
      super(new BufferStream(in));
      this.references = references;
      enableResolveObject(true);
      setObjectInputFilter(ObjectInputFilter.merge(boundedBy(in.remaining()), getObjectInputFilter()));
    }

    @Override
    protected Object resolveObject(Object object) {
      if (object instanceof Reference reference) {
        if (reference.index < 0 || reference.index >= references.size()) {
          throw new SerializationException(
              "malformed value: reference " + reference.index + " of " + references.size());
        }
        if (reference.isActor) {
          return references.actor(reference.index);
        }
        ObjectRef<?> ref = references.object(reference.index);
        return reference.type == null || !(ref instanceof Ref<?> own) ? ref : own.asType(reference.type);
      } else if (object instanceof TensorCopy copy) {
        return Tensor.of(copy.dtype, ByteBuffer.wrap(copy.data), copy.shape);
      }
      return object;
    }

    @Override
    protected Class<?> resolveClass(ObjectStreamClass description) throws IOException, ClassNotFoundException {
      try {
        return Class.forName(description.getName(), false, CodePath.loader());
      } catch (ClassNotFoundException primitiveOrMissing) {
        return super.resolveClass(description);
      }
    }

    @Override
    protected Class<?> resolveProxyClass(String[] interfaces) throws ClassNotFoundException {
      Class<?>[] found = new Class<?>[ interfaces.length ];
      for (int i = 0; i < interfaces.length; ++i) {
        found[i] = Class.forName(interfaces[i], false, CodePath.loader());
      }
      return Proxy.newProxyInstance(CodePath.loader(), found, (proxy, method, args) -> null).getClass();
    }
  }

  private static final class SinkStream extends OutputStream {
    private final ByteSink out;

    SinkStream(ByteSink out) {
      this.out = out;
    }

    @Override
    public void write(int value) {
      out.putByte(value);
    }

    @Override
    public void write(byte[] bytes, int from, int count) {
      out.putBytes(bytes, from, count);
    }
  }

  private static final class BufferStream extends InputStream {
    private final ByteBuffer in;

    BufferStream(ByteBuffer in) {
      this.in = in;
    }

    @Override
    public int read() {
      return in.hasRemaining() ? in.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] bytes, int from, int count) {
      if (!in.hasRemaining()) {
        return count == 0 ? 0 : -1;
      }
      int taken = Math.min(count, in.remaining());
      in.get(bytes, from, taken);
      return taken;
    }
  }
}
