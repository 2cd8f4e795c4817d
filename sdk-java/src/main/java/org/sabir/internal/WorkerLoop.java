package org.sabir.internal;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.sabir.ErrorKind;
import org.sabir.InvalidArgumentException;
import org.sabir.Language;
import org.sabir.SabirException;
import org.sabir.SabirSystemException;
import org.sabir.TaskCancelledException;

/**
 * A worker's life: join, take over the job's code path, execute calls until the node says leave. A process may host
 * several, each with a thread and a client of its own.
 */
public final class WorkerLoop {
  private static final int ACTOR_CREATE = 2;

  private static final List<WorkerLoop> LOOPS = new CopyOnWriteArrayList<>(); // of this process

  private final Client client;
  private final Thread thread = Thread.currentThread();
  private final ViewBuffer views = ViewBuffer.ofThread();
  private final Map<Integer, Function> functions = new HashMap<>();
  private final AtomicLong current = new AtomicLong(); // the work, as long as it is to be ended; 0: none
  private volatile String currentName = "";
  private ValueWriter.Readers readers = ValueWriter.Readers.ANY; // of the running call's result
  private Object actor;

  /** A function of the job. Its number never changes its meaning. */
  private static final class Function {
    final int kind;
    final String name;
    final EnvCode code;
    final CodePath.Place place;
    Resolver resolver;

    Function(int kind, String name, String exported) {
      this.kind = kind;
      this.name = name;
      this.code = EnvCode.parse(exported);
      this.place = CodeLoader.beside(code.paths());
    }

    Resolver resolver(Object actor) {
      if (resolver == null) {
        resolver = kind == FunctionKey.METHOD ? Resolver.ofMethod(name, code.code(), actor)
                                              : Resolver.of(kind, name, code.code());
      }
      return resolver;
    }
  }

  /** One call's arguments. */
  private record Arguments(Object[] positional, Map<String, Object> named) {}

  private WorkerLoop(Client client) {
    this.client = client;
  }

  /** Joins as all workers that this process is to host, and lives until the last of them has left. */
  public static void run() {
    WorkerLoop first = join();
    CodeLoader.use(first.client.info().jobConfig());
    Notices.start(first.client); // what the node has to say is said to each, and concerns the process
    Pinned.collectWhenDoubled();
    SharedClasses.prepare(); // a driver in another language has not
    Runtime.getRuntime().addShutdownHook(new Thread(WorkerLoop::exiting, "sabir-exit"));
    List<Thread> others = new ArrayList<>();
    for (int i = 1; i < slots(); ++i) {
      String name = "sabir-worker-" + (i + 1);
      others.add(new Thread(new ThreadGroup(name), WorkerLoop::liveBesides, name)); // its threads: see exiting()
    }
    try {
      others.forEach(Thread::start);
      first.live();
    } catch (Throwable broken) {
      end(broken);
    }
    for (Thread other : others) {
      joinThread(other);
    }
    System.out.flush();
    System.err.flush();
    // Threads that users' code left behind do not keep a worker.
    Runtime.getRuntime().halt(0);
  }

  private static int slots() {
    String slots = System.getenv("SABIR_WORKER_SLOTS");
    return slots == null ? 1 : Integer.parseInt(slots);
  }

  private static WorkerLoop join() {
    WorkerLoop loop = new WorkerLoop(Client.startWorker());
    Runtimes.adopt(loop.client);
    LOOPS.add(loop);
    return loop;
  }

  private static void liveBesides() {
    try {
      join().live();
    } catch (TaskCancelledException notNeeded) {
      // the node has thought better of it
    } catch (Throwable broken) {
      end(broken);
    }
  }

  /**
   * A worker that cannot go on: nobody would answer for it while its neighbours live. The node starts another process.
   */
  private static void end(Throwable broken) {
    try {
      broken.printStackTrace();
    } finally {
      Runtime.getRuntime().halt(1);
    }
  }

  private static void joinThread(Thread thread) {
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException again) {
        // users' code has set the mark; there is nothing to be interrupted
      }
    }
  }

  private void live() {
    work();
    current.set(0);
    System.out.flush();
    System.err.flush();
    client.shutdown();
  }

  /** Uses what a worker uses first, so that it is in the archive of shared classes. */
  public static void touchClasses() {
    CodeLoader.use("{\"code_search_path\": []}");
    ByteSink sink = new ByteSink();
    Object value = java.util.List.of(1, "text", 2.5, Map.of("key", new byte[1]), Long.MAX_VALUE, true);
    Encoded encoded = ValueWriter.write(sink, value, "a value");
    Object read = ValueReader.read(Incoming.of(encoded.encoding(), encoded.variant(), encoded.toBytes(sink)));
    Conversions.to(read, java.util.List.class, "a value");
    try {
      Resolver.of(FunctionKey.TASK, "abs", "java.lang.Math::abs").bind(null, new Object[] {1L}, Map.of()).run();
    } catch (InvocationTargetException impossible) {
      throw new AssertionError(impossible);
    }
    Failure.fields(new IllegalStateException("an error"), "name");
    CallBuffer buffer = CallBuffer.take(null);
    buffer.value(value, "a value", ValueWriter.Readers.ANY);
    buffer.done();
    WorkContext.begin(new WorkContext.Call(0, 0, 0, 0));
    WorkContext.current();
    WorkContext.end();
    ViewBuffer.ofThread();
    Native.destroyWaiter(Native.createWaiter());
  }

  private void work() {
    long entered = client.enter();
    try {
      for (;;) {
        int words = Native.nextWork(entered, views.words, views.room);
        if (words == Native.END) {
          return;
        } else if (words != Native.AGAIN) {
          execute(words);
        }
      }
    } finally {
      client.leave();
    }
  }

  private void execute(int described) {
    long work = views.words[0];
    int words = described;
    while (words < 0) {
      views.grow(-words);
      words = Native.describeWork(work, views.words, views.room);
    }
    views.at = 1;
    int kind = (int) views.next();
    int index = (int) views.next();
    int numReturns = (int) views.next();
    int attempt = (int) views.next();
    long gpus = views.next();
    WorkContext.begin(new WorkContext.Call(views.next(), views.next(), attempt, gpus));
    int caller = (int) views.next();
    readers = caller == Language.NONE.code() || caller == Language.JAVA.code() ? ValueWriter.Readers.ANY
                                                                               : ValueWriter.Readers.OTHERS_FIRST;
    current.set(work);
    try {
      Function function = function(index);
      currentName = function.name;
      if (function.kind != FunctionKey.METHOD) { // an actor's methods run where its class was found
        CodePath.enter(function.place);
      }
      run(kind, function, arguments(), numReturns);
    } catch (SabirException own) {
      fail(own, own.kind(), false);
    } catch (Throwable error) {
      fail(error, ErrorKind.TASK_FAILED, false);
    } finally {
      WorkContext.end();
      Thread.interrupted(); // a mark that the call left is not the next one's
    }
  }

  private void run(int kind, Function function, Arguments arguments, int numReturns) {
    Resolver.Bound bound = function.resolver(actor).bind(actor, arguments.positional, arguments.named);
    Object result;
    try {
      result = bound.run();
    } catch (InvocationTargetException thrown) {
      Throwable error = thrown.getCause();
      if (error instanceof ActorExit) {
        fail(error, ErrorKind.ACTOR_DIED, false);
        return;
      }
      fail(error, ErrorKind.TASK_FAILED, function.code.retries(error));
      return;
    }
    if (kind == ACTOR_CREATE) {
      if (result == null) {
        throw new InvalidArgumentException(function.name + " returned null instead of an actor");
      }
      actor = result;
      result = null;
    }
    finish(result, numReturns);
  }

  private Function function(int index) {
    Function known = functions.get(index);
    if (known == null) {
      long[] kind = new long[1];
      long entered = client.enter();
      byte[][] texts;
      try {
        texts = Native.getFunction(entered, index, kind);
      } finally {
        client.leave();
      }
      known = new Function((int) kind[0], Texts.ofUtf8(texts[0]), Texts.ofUtf8(texts[1]));
      functions.put(index, known);
    }
    return known;
  }

  private Arguments arguments() {
    int count = Math.toIntExact(views.next());
    Object[] positional = new Object[count];
    Map<String, Object> named = Map.of();
    int used = 0;
    for (int i = 0; i < count; ++i) {
      long holder = views.next();
      String name = views.nextText();
      Object value = Captured.unwrapped(views.nextValue(client, holder));
      if (name.isEmpty()) {
        positional[used++] = value;
      } else {
        named = named.isEmpty() ? new LinkedHashMap<>() : named;
        named.put(name, value);
      }
    }
    return new Arguments(used == count ? positional : java.util.Arrays.copyOf(positional, used), named);
  }

  private void finish(Object result, int numReturns) {
    CallBuffer buffer = CallBuffer.take(client);
    try {
      String where = "the result of " + currentName;
      if (numReturns == 1) {
        buffer.value(result, where, readers);
      } else if (numReturns > 1) {
        Object[] many = result instanceof java.util.Collection<?> items ? items.toArray()
            : result instanceof Object[] array                          ? array
                                                                        : new Object[] {result};
        if (many.length != numReturns) {
          throw new InvalidArgumentException(currentName + " was to return " + numReturns
              + " values, in a collection or an array, but returned " + many.length);
        }
        for (Object item : many) {
          buffer.value(item, where, readers);
        }
      }
      long work = current.getAndSet(0);
      if (work != 0) {
        Native.finishWork(work, numReturns, buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount);
      }
    } catch (SabirException error) {
      if (current.get() != 0) {
        throw error;
      }
      // The caller has it already: a full store, for example.
    } finally {
      buffer.done();
    }
  }

  private void fail(Throwable error, ErrorKind kind, boolean retryable) {
    byte[][] fields;
    try {
      fields = Failure.fields(error, currentName);
    } catch (Throwable again) {
      // No memory for it, for example: what is known without any.
      fields = new byte[][] {Texts.utf8(currentName + ": " + error.getClass().getSimpleName()),
          Texts.utf8(error.getClass().getName()), new byte[0], null, null};
    }
    long work = current.getAndSet(0);
    if (work != 0) {
      Native.failWork(work, kind.status(), retryable, fields);
    }
  }

  /**
   * The JVM is about to end, and it was no loop that ended it: System.exit() in users' code, or a signal. The call that
   * exits fails; those of other workers end with the process, as in a crash, and may be tried again.
   */
  private static void exiting() {
    Thread culprit = exitingThread();
    if (culprit == null) {
      return; // a signal: the node says what became of the worker
    }
    ThreadGroup group = culprit.getThreadGroup(); // also of a thread that the call has started
    boolean known = LOOPS.stream().anyMatch(loop -> loop.thread.getThreadGroup() == group);
    for (WorkerLoop loop : LOOPS) {
      if (loop.current.get() != 0 && (!known || loop.thread.getThreadGroup() == group)) {
        loop.fail(new SabirSystemException(ErrorKind.TASK_FAILED, "System.exit() was called; the worker ends with it"),
            ErrorKind.TASK_FAILED, false);
      }
    }
  }

  private static Thread exitingThread() {
    for (Map.Entry<Thread, StackTraceElement[]> thread : Thread.getAllStackTraces().entrySet()) {
      boolean exits = false;
      boolean isSignal = false;
      for (StackTraceElement frame : thread.getValue()) {
        exits |= frame.getClassName().equals("java.lang.Shutdown");
        isSignal |= frame.getClassName().startsWith("java.lang.Terminator")
            || frame.getClassName().equals("jdk.internal.misc.Signal$1");
      }
      if (exits && !isSignal) {
        return thread.getKey();
      }
    }
    return null;
  }
}
