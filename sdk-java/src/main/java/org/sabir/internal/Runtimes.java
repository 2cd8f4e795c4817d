package org.sabir.internal;

import org.sabir.NotInitializedException;
import org.sabir.RuntimeContext;
import org.sabir.SabirOptions;

/** The client of this process, or those of the workers that share it, and the call that a thread runs. */
public final class Runtimes {
  private static volatile Client current; // of threads that no worker of their own has started
  private static final ThreadLocal<Client> OF_THREAD = new InheritableThreadLocal<>();
  private static volatile boolean shared;
  private static Thread atExit;

  private Runtimes() {}

  public static synchronized Client start(SabirOptions options) {
    Client started = Client.driver(Launch.driver(options));
    current = started;
    Notices.start(started);
    if (atExit == null) {
      atExit = new Thread(Runtimes::stop, "sabir-exit");
      Runtime.getRuntime().addShutdownHook(atExit);
    }
    return started;
  }

  /** A worker has joined: calls of its tasks find a started runtime, in this thread and those that it starts. */
  static synchronized void adopt(Client worker) {
    shared |= current != null;
    current = current != null ? current : worker;
    OF_THREAD.set(worker);
  }

  /** More than one worker has joined. */
  static boolean isShared() {
    return shared;
  }

  public static void stop() {
    Client client = current;
    if (client != null) {
      stop(client);
    }
  }

  /** Ends this one; a later one of this process goes on. */
  public static synchronized void stop(Client client) {
    if (client.isWorker()) {
      return; // a worker leaves when the node says so, not when a task does
    }
    client.shutdown();
    if (current == client) {
      current = null;
    }
  }

  public static boolean isStarted() {
    return current != null;
  }

  public static Client current() {
    Client client = shared ? OF_THREAD.get() : current;
    client = client != null ? client : current;
    if (client == null) {
      throw new NotInitializedException("Sabir is not running in this process: call Sabir.init() first");
    }
    return client;
  }

  public static RuntimeContext context() {
    SessionInfo info = current().info();
    WorkContext work = WorkContext.current();
    return new RuntimeContext(
        info.jobId(), info.nodeId(), info.namespace(), work.taskId(), info.actorId(), work.attempt(), work.gpuIds());
  }

  public static void exitActor() {
    Client client = current();
    if (!client.isWorker() || client.info().actorId().isEmpty()) {
      throw new IllegalStateException("exitActor() can only be called inside of an actor");
    }
    long entered = client.enter();
    try {
      Native.exitWorker(entered);
    } finally {
      client.leave();
    }
    throw new ActorExit();
  }
}
