package org.sabir.internal;

import java.lang.ref.Cleaner;

/** Ends native handles when nothing in Java refers to them any more. No finalizers. */
final class Handles {
  private static final Cleaner CLEANER = Cleaner.create();

  private Handles() {}

  // The actions must not refer to what they wait for; so they are no lambdas of its methods.
  private record Release(Kind kind, long pointer) implements Runnable {
    @Override
    public void run() {
      switch (kind) {
        case REF -> Native.releaseRef(pointer);
        case ACTOR -> Native.releaseActor(pointer);
        case TASK -> Native.releaseTask(pointer);
        case FUNCTION -> Native.releaseFunction(pointer);
        case WAITER -> Native.destroyWaiter(pointer);
        case TABLE -> Native.destroyTable(pointer);
      }
    }
  }

  private record Unpin(long ref, long address, long size) implements Runnable {
    @Override
    public void run() {
      Pinned.remove(address, size); // first: the address may be another object's at once
      Native.releaseRef(ref);
    }
  }

  private enum Kind { REF, ACTOR, TASK, FUNCTION, WAITER, TABLE }

  static void releaseRefWith(Object object, long ref) {
    CLEANER.register(object, new Release(Kind.REF, ref));
  }

  /** A view of a large object: its memory counts as held until then. */
  static void releaseViewWith(Object object, long ref, long address, long size) {
    CLEANER.register(object, new Unpin(ref, address, size));
    Pinned.add(address, size);
  }

  static void releaseActorWith(Object object, long actor) {
    CLEANER.register(object, new Release(Kind.ACTOR, actor));
  }

  static void releaseTaskWith(Object object, long task) {
    CLEANER.register(object, new Release(Kind.TASK, task));
  }

  static void releaseFunctionWith(Object object, long function) {
    CLEANER.register(object, new Release(Kind.FUNCTION, function));
  }

  static void destroyTableWith(Object object, long table) {
    CLEANER.register(object, new Release(Kind.TABLE, table));
  }

  static void destroyWaiterWith(Object object, long waiter) {
    CLEANER.register(object, new Release(Kind.WAITER, waiter));
  }
}
