package org.sabir.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import org.sabir.ObjectRef;
import org.sabir.SabirException;
import org.sabir.WaitInterruptedException;

/** Completes futures: one thread per session, started by the first future, waits for all of them. */
final class Completions {
  private static final int TAGS = 64;

  private final Client client;
  private final ConcurrentHashMap<Long, Pending<?>> pending = new ConcurrentHashMap<>();
  private final AtomicLong lastTag = new AtomicLong();
  private long queue;
  private Thread thread;

  /** `place`: where the task that made the future looks for classes. */
  private record Pending<T>(Ref<T> ref, CompletableFuture<T> future, Runnable ready, CodePath.Place place) {
    // Readers of the future may do anything: not in the thread that all others wait for.
    void complete() {
      if (ready != null) {
        ready.run();
        return;
      }
      ForkJoinPool.commonPool().execute(() -> CodePath.in(place, this::convert));
    }

    private void convert() {
      try {
        future.complete(ref.take());
      } catch (Throwable error) {
        future.completeExceptionally(error);
      }
    }
  }

  Completions(Client client) {
    this.client = client;
  }

  <T> CompletableFuture<T> future(Ref<T> ref) {
    CompletableFuture<T> future = new CompletableFuture<>();
    watch(new Pending<>(ref, future, null, CodePath.place()));
    return future;
  }

  /** True if it was ready in time. Holds no carrier of a virtual thread. */
  boolean await(Ref<?> ref, long timeoutNs) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    long tag = watch(pending(ref, done));
    try {
      if (timeoutNs < 0) {
        done.get();
      } else {
        done.get(timeoutNs, TimeUnit.NANOSECONDS);
      }
      return true;
    } catch (TimeoutException late) {
      return false;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new WaitInterruptedException("the thread was interrupted while it waited");
    } catch (ExecutionException closed) {
      throw closed.getCause() instanceof SabirException own ? own : new IllegalStateException(closed);
    } finally {
      pending.remove(tag);
    }
  }

  /**
   * Waits until the look gives something else than Native.TIMEOUT, which it gives at last if the time is over. It looks
   * again whenever one of the references has become ready, or the session ended. Holds no carrier of a virtual thread.
   */
  int await(List<? extends ObjectRef<?>> refs, long timeoutNs, IntSupplier look) {
    int result = look.getAsInt();
    if (result != Native.TIMEOUT || timeoutNs == 0) {
      return result;
    }
    long deadline = Times.deadline(timeoutNs);
    Semaphore changes = new Semaphore(0);
    List<Long> tags = new ArrayList<>(refs.size());
    try {
      for (ObjectRef<?> ref : refs) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        done.whenComplete((ready, closed) -> changes.release());
        tags.add(watch(pending((Ref<?>) ref, done)));
      }
      boolean inTime = true;
      while (inTime && (result = look.getAsInt()) == Native.TIMEOUT) {
        if (timeoutNs < 0) {
          changes.acquire();
        } else {
          inTime = changes.tryAcquire(Times.left(deadline, timeoutNs), TimeUnit.NANOSECONDS);
        }
        changes.drainPermits();
      }
      return inTime ? result : look.getAsInt();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new WaitInterruptedException("the thread was interrupted while it waited");
    } finally {
      tags.forEach(pending::remove);
    }
  }

  private static <T> Pending<T> pending(Ref<T> ref, CompletableFuture<Void> done) {
    CompletableFuture<T> failed = new CompletableFuture<>();
    failed.whenComplete((value, error) -> {
      if (error != null) {
        done.completeExceptionally(error);
      }
    });
    return new Pending<>(ref, failed, () -> done.complete(null), null);
  }

  private long watch(Pending<?> entry) {
    long tag = lastTag.incrementAndGet();
    long events = start();
    pending.put(tag, entry);
    try {
      Native.watch(entry.ref.pointer(), events, tag);
    } catch (Throwable error) {
      pending.remove(tag);
      throw error;
    }
    if (client.isClosed() && pending.remove(tag) != null) {
      throw Client.closedError();
    }
    return tag;
  }

  private synchronized long start() {
    if (thread == null) {
      long entered = client.enter();
      try {
        queue = Native.createQueue(entered);
      } finally {
        client.leave();
      }
      thread = new Thread(this::run, "sabir-completions");
      thread.setDaemon(true);
      thread.start();
    }
    return queue;
  }

  private void run() {
    long[] tags = new long[TAGS];
    for (;;) {
      int count = Native.nextTags(queue, tags);
      if (count < 0) {
        break;
      }
      for (int i = 0; i < count; ++i) {
        Pending<?> entry = pending.remove(tags[i]);
        if (entry != null) {
          entry.complete();
        }
      }
    }
    for (Pending<?> entry : pending.values()) {
      entry.future.completeExceptionally(Client.closedError());
    }
    pending.clear();
  }

  /** After the native client was shut down: waits for the thread, and ends the queue. */
  void close() {
    Thread running;
    synchronized (this) {
      running = thread;
    }
    if (running == null) {
      return;
    }
    boolean interrupted = false;
    while (running.isAlive()) {
      try {
        running.join();
      } catch (InterruptedException later) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Native.destroyQueue(queue);
  }
}
