package org.sabir.internal;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.sabir.NotInitializedException;

/**
 * This process's membership in a session. Calls that name it enter and leave it: the native client is destroyed when
 * the last of them has left.
 */
public final class Client {
  private static final String CLOSED = "Sabir is not running: shutdown() was called, or the session ended";
  private static final int FUNCTIONS_MAX = 4096;

  private final long pointer;
  private final boolean isWorker;
  private final AtomicInteger inside = new AtomicInteger();
  private volatile boolean closed;
  private final ConcurrentHashMap<Object, Handle> prepared = new ConcurrentHashMap<>();
  private final Completions completions;
  private final SessionInfo info;

  /** A function or a task, kept as long as somebody uses it. */
  record Handle(long pointer) {}

  private Client(long pointer, boolean isWorker) {
    this.pointer = pointer;
    this.isWorker = isWorker;
    this.info = SessionInfo.of(Native.clientInfo(pointer));
    this.completions = new Completions(this);
  }

  static Client driver(long pointer) {
    return new Client(pointer, false);
  }

  public static Client startWorker() {
    return new Client(Native.startWorker(), true);
  }

  public SessionInfo info() {
    return info;
  }

  public boolean isWorker() {
    return isWorker;
  }

  public boolean isClosed() {
    return closed;
  }

  Completions completions() {
    return completions;
  }

  /** The native client, until {@link #leave}. */
  long enter() {
    inside.incrementAndGet();
    if (closed) {
      inside.decrementAndGet();
      throw new NotInitializedException(CLOSED);
    }
    return pointer;
  }

  void leave() {
    inside.decrementAndGet();
  }

  /** A function that is exported once. */
  Handle function(int kind, FunctionKey key) {
    record Key(int kind, FunctionKey key) {}
    return prepared(new Key(kind, key), () -> {
      long client = enter();
      try {
        return Native.exportFunction(
            client, kind, key.language().code(), Texts.utf8(key.name()), Texts.utf8(key.code()));
      } finally {
        leave();
      }
    }, false);
  }

  /** A task that is prepared once for the same function and options. */
  Handle task(FunctionKey function, TaskSettings settings) {
    record Key(FunctionKey function, TaskSettings settings) {}
    return prepared(new Key(function, settings), () -> {
      Handle exported = function(FunctionKey.TASK, function);
      long client = enter();
      try {
        long task = Native.prepareTask(client, exported.pointer, settings.resources().names(),
            settings.resources().amounts(), settings.numReturns(), settings.maxRetries(), settings.retryExceptions(),
            Texts.utf8(settings.name()), SchedulingTexts.of(settings.scheduling()));
        String infeasible = Texts.ofUtf8(Native.infeasible(task));
        if (!infeasible.isEmpty()) {
          System.err.println("sabir: task " + function.name() + " cannot run now: " + infeasible);
        }
        return task;
      } finally {
        leave();
        java.lang.ref.Reference.reachabilityFence(exported);
      }
    }, true);
  }

  private interface Maker {
    long make();
  }

  private Handle prepared(Object key, Maker maker, boolean isTask) {
    Handle known = prepared.get(key);
    if (known != null) {
      return known;
    }
    if (prepared.size() >= FUNCTIONS_MAX) {
      prepared.clear(); // names made up for each call; what is in use lives on
    }
    Handle made = new Handle(maker.make());
    if (isTask) {
      Handles.releaseTaskWith(made, made.pointer);
    } else {
      Handles.releaseFunctionWith(made, made.pointer);
    }
    Handle other = prepared.putIfAbsent(key, made);
    return other != null ? other : made;
  }

  /** Leaves the session; waits are ended with NotInitializedException. Idempotent. */
  public synchronized void shutdown() {
    if (closed) {
      return;
    }
    closed = true;
    Native.shutdown(pointer); // wakes whoever waits
    completions.close();
    while (inside.get() > 0) {
      Thread.onSpinWait();
      Thread.yield();
    }
    Native.destroyClient(pointer);
  }

  /** The same reference, or handle, for this client: they may come from another worker of this process. */
  long adoptRef(long ref) {
    long client = enter();
    try {
      return Native.adoptRef(client, ref);
    } finally {
      leave();
    }
  }

  long adoptActor(long actor) {
    long client = enter();
    try {
      return Native.adoptActor(client, actor);
    } finally {
      leave();
    }
  }

  static NotInitializedException closedError() {
    return new NotInitializedException(CLOSED);
  }

  /** The session's state as JSON. */
  public String status() {
    long client = enter();
    try {
      return Texts.ofUtf8(Native.sessionStatus(client));
    } finally {
      leave();
    }
  }
}
