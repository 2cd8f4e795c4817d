package org.sabir.internal;

import java.lang.ref.Reference;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import org.sabir.GetTimeoutException;
import org.sabir.ObjectRef;

/** A reference of the core. */
public final class Ref<T> implements ObjectRef<T> {
  private final Client client;
  private final long pointer;
  private final Type type;

  /** Owns the pointer. */
  Ref(Client client, long pointer, Type type) {
    this.client = client;
    this.pointer = pointer;
    this.type = type;
    Handles.releaseRefWith(this, pointer);
  }

  /** Valid while this object is reachable. */
  long pointer() {
    return pointer;
  }

  Client client() {
    return client;
  }

  /** The class of its value; Object if that is all that is known. */
  Class<?> rawType() {
    return Conversions.rawClass(type);
  }

  /**
   * The same reference for a call or a wait of this client. Workers that share a process see each other's references
   * (in static fields, for example), and each call wants those of its own client. A driver's stays as it is: of another
   * session, it is refused.
   */
  Ref<T> in(Client wanted) {
    if (wanted == client || !wanted.isWorker()) {
      return this;
    }
    client.enter(); // it must stay until the other one has taken it over
    try {
      return new Ref<>(wanted, wanted.adoptRef(pointer), type);
    } finally {
      client.leave();
      Reference.reachabilityFence(this);
    }
  }

  /** Where this thread waits for it: the CPU that is lent meanwhile is that of the thread's own worker. */
  private Ref<T> here() {
    return client.isWorker() ? in(Runtimes.current()) : this;
  }

  /** The same reference with its value's type. */
  ObjectRef<?> asType(Type wanted) {
    return wanted == Object.class || wanted == type ? this : new Ref<>(client, Native.retainRef(pointer), wanted);
  }

  @Override
  public <U> ObjectRef<U> as(Class<U> wanted) {
    try {
      return new Ref<>(client, Native.retainRef(pointer), wanted);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  @Override
  public T get() {
    return get(-1);
  }

  @Override
  public T get(Duration timeout) {
    return get(Times.nanos(timeout));
  }

  private T get(long timeoutNs) {
    Ref<T> here = here();
    return here != this ? here.get(timeoutNs) : getHere(timeoutNs);
  }

  private T getHere(long timeoutNs) {
    ViewBuffer buffer = ViewBuffer.ofThread();
    long entered = client.enter();
    int words;
    try {
      words = Native.get(entered, pointer, 0, 0, buffer.words, buffer.room);
      if (words == Native.TIMEOUT && timeoutNs != 0) {
        words = await(entered, buffer, timeoutNs);
      }
    } finally {
      client.leave();
    }
    if (words == Native.TIMEOUT) {
      throw new GetTimeoutException("the value of " + this + " was not there in time");
    }
    return take(buffer, words);
  }

  private int await(long entered, ViewBuffer buffer, long timeoutNs) {
    if (VirtualThreads.isVirtual(Thread.currentThread())) {
      return client.completions().await(this, timeoutNs) ? Native.view(pointer, buffer.words, buffer.room)
                                                         : Native.TIMEOUT;
    }
    long deadline = Times.deadline(timeoutNs);
    return Interrupter.run(
        waiter -> Native.get(entered, pointer, Times.left(deadline, timeoutNs), waiter, buffer.words, buffer.room));
  }

  /** The value that is there. */
  T take() {
    ViewBuffer buffer = ViewBuffer.ofThread();
    return take(buffer, Native.view(pointer, buffer.words, buffer.room));
  }

  private T take(ViewBuffer buffer, int described) {
    int words = described;
    while (words < 0) {
      if (words == Native.TIMEOUT) {
        throw new GetTimeoutException("the value of " + this + " is not there yet");
      }
      buffer.grow(-words);
      words = Native.view(pointer, buffer.words, buffer.room);
    }
    buffer.at = 0;
    Object value = buffer.nextValue(client, pointer);
    Reference.reachabilityFence(this);
    return Casts.unchecked(Conversions.to(value, type, "the value"));
  }

  @Override
  public CompletableFuture<T> toCompletableFuture() {
    return client.completions().future(this);
  }

  @Override
  public boolean isReady() {
    try {
      return Native.isReady(pointer);
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  @Override
  public String id() {
    try {
      return HexFormat.of().formatHex(Native.refId(pointer));
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ref<?> that && id().equals(that.id());
  }

  @Override
  public int hashCode() {
    return id().hashCode();
  }

  @Override
  public String toString() {
    return "ObjectRef(" + id() + ")";
  }
}
