package org.sabir.internal;

import java.lang.ref.Reference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.sabir.ActorHandle;
import org.sabir.DType;
import org.sabir.GetTimeoutException;
import org.sabir.InvalidArgumentException;
import org.sabir.NotFoundException;
import org.sabir.ObjectRef;

/** put, get and wait of many, and actors by name. */
public final class ObjectOps {
  private static final long PUT_TIMEOUT_NS = 30_000_000_000L;
  private static final long LARGE_BYTES = 1 << 16;

  private ObjectOps() {}

  public static <T> ObjectRef<T> put(T value) {
    if (value instanceof ObjectRef) {
      throw new InvalidArgumentException("put() of a reference: pass it as it is, or inside a list");
    }
    Client client = Runtimes.current();
    DType dtype = value instanceof byte[] ? null : TensorArrays.typeOf(value);
    if (dtype != null && java.lang.reflect.Array.getLength(value) * (long) dtype.itemBytes() >= LARGE_BYTES) {
      return new Ref<>(client, putArray(client, value, dtype), TypeOf.value(value));
    }
    CallBuffer buffer = CallBuffer.take(client);
    try {
      buffer.value(value, "the value to put", ValueWriter.Readers.ANY);
      long entered = client.enter();
      try {
        long ref = Native.put(
            entered, PUT_TIMEOUT_NS, buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount);
        return new Ref<>(client, ref, TypeOf.value(value));
      } finally {
        client.leave();
      }
    } finally {
      buffer.done();
    }
  }

  /** Without a copy outside of the store: fresh memory for one is dearer than the copy. */
  private static long putArray(Client client, Object array, DType dtype) {
    byte[] head = ValueWriter.arrayHead(dtype, java.lang.reflect.Array.getLength(array));
    char type = array.getClass().descriptorString().charAt(1);
    long entered = client.enter();
    try {
      return Native.putArray(entered, PUT_TIMEOUT_NS, head, array, type, dtype.itemBytes());
    } finally {
      client.leave();
    }
  }

  /** For waits of this client. */
  private static <T> List<Ref<T>> checked(Client client, List<? extends ObjectRef<? extends T>> refs) {
    List<Ref<T>> own = new ArrayList<>(refs.size());
    for (ObjectRef<?> ref : refs) {
      if (!(ref instanceof Ref<?> known)) {
        throw new InvalidArgumentException(
            "item " + own.size() + " is no reference of Sabir's: " + Texts.shortened(ref));
      }
      own.add(Casts.unchecked(known.in(client)));
    }
    return own;
  }

  private static long[] pointers(List<? extends Ref<?>> refs) {
    return refs.stream().mapToLong(Ref::pointer).toArray();
  }

  public static <T> List<T> getAll(List<? extends ObjectRef<? extends T>> given, Duration timeout) {
    List<T> values = new ArrayList<>(given.size());
    if (given.isEmpty()) {
      return values;
    }
    Client client = Runtimes.current();
    List<Ref<T>> refs = checked(client, given);
    long[] pointers = pointers(refs);
    long timeoutNs = Times.nanos(timeout);
    long deadline = Times.deadline(timeoutNs);
    long entered = client.enter();
    int result;
    try {
      result = VirtualThreads.isVirtual(Thread.currentThread())
          ? client.completions().await(refs, timeoutNs, () -> Native.getAll(entered, pointers, 0, 0))
          : Interrupter.run(waiter -> Native.getAll(entered, pointers, Times.left(deadline, timeoutNs), waiter));
    } finally {
      client.leave();
    }
    // When one has an error, others may have nothing yet.
    Ref<T> unready = null;
    for (Ref<T> ref : refs) {
      if (ref.isReady()) {
        values.add(ref.take());
      } else if (unready == null) {
        unready = ref;
      }
    }
    Reference.reachabilityFence(refs);
    if (unready != null) {
      throw new GetTimeoutException("the value of " + unready + " was not there in time"
          + (result == Native.TIMEOUT ? "" : " (another one has an error)"));
    }
    return values;
  }

  public static boolean[] waitFor(List<? extends ObjectRef<?>> given, int numReady, Duration timeout) {
    if (numReady < 1 || numReady > given.size()) {
      throw new InvalidArgumentException("wait() for " + numReady + " of " + given.size() + " references");
    }
    Client client = Runtimes.current();
    List<Ref<Object>> refs = checked(client, given);
    long[] pointers = pointers(refs);
    byte[] marks = new byte[pointers.length];
    long timeoutNs = Times.nanos(timeout);
    long deadline = Times.deadline(timeoutNs);
    long entered = client.enter();
    try {
      if (VirtualThreads.isVirtual(Thread.currentThread())) {
        client.completions().await(refs, timeoutNs, () -> {
          int ready = Native.waitFor(entered, pointers, numReady, 0, 0, marks);
          return ready < numReady ? Native.TIMEOUT : ready;
        });
      } else {
        Interrupter.run(
            waiter -> Native.waitFor(entered, pointers, numReady, Times.left(deadline, timeoutNs), waiter, marks));
      }
    } finally {
      client.leave();
    }
    Reference.reachabilityFence(refs);
    boolean[] ready = new boolean[marks.length];
    for (int i = 0; i < marks.length; ++i) {
      ready[i] = marks[i] != 0;
    }
    return ready;
  }

  public static <A> Optional<ActorHandle<A>> lookup(String name, String namespace) {
    if (name == null || name.isEmpty()) {
      throw new InvalidArgumentException("an actor's name must not be empty");
    }
    Client client = Runtimes.current();
    long entered = client.enter();
    try {
      return Optional.of(new Actor<>(client, Native.lookupActor(entered, Texts.utf8(name), Texts.utf8(namespace))));
    } catch (NotFoundException none) {
      return Optional.empty();
    } finally {
      client.leave();
    }
  }
}
