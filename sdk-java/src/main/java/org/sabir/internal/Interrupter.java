package org.sabir.internal;

import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import org.sabir.WaitInterruptedException;

/**
 * Lets Thread.interrupt() end a wait in native code. A channel is the one thing that the JDK calls at an interrupt;
 * this one has no data. Each thread has one, and a new one after an interrupt.
 */
final class Interrupter extends AbstractInterruptibleChannel {
  private static final ThreadLocal<Interrupter> OF_THREAD = ThreadLocal.withInitial(Interrupter::new);

  private final long waiter = Native.createWaiter();

  private Interrupter() {
    Handles.destroyWaiterWith(this, waiter);
  }

  @Override
  protected void implCloseChannel() {
    Native.interrupt(waiter);
  }

  /** A wait in native code: with the waiter to give it, returning what it returned. */
  interface Wait {
    int run(long waiter);
  }

  /** Runs it; WaitInterruptedException if this thread was interrupted before it came to an end. */
  static int run(Wait wait) {
    Interrupter interrupter = OF_THREAD.get();
    int result = Native.INTERRUPTED;
    interrupter.begin();
    try {
      do {
        result = wait.run(interrupter.waiter); // a signal ends it as well: then again
      } while (result == Native.INTERRUPTED && interrupter.isOpen());
    } finally {
      try {
        interrupter.end(result != Native.INTERRUPTED);
      } catch (AsynchronousCloseException interrupted) {
        // told below; the thread keeps its mark
      }
      if (!interrupter.isOpen()) {
        OF_THREAD.remove();
      }
    }
    if (result == Native.INTERRUPTED) {
      throw new WaitInterruptedException("the thread was interrupted while it waited");
    }
    return result;
  }
}
