package org.sabir.worker;

import org.sabir.internal.WorkerLoop;

/** What the node starts: a JVM that executes calls. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    if (args.length == 1 && args[0].equals("--touch-classes")) {
      WorkerLoop.touchClasses(); // for the archive of shared classes
      return;
    }
    WorkerLoop.run();
  }
}
