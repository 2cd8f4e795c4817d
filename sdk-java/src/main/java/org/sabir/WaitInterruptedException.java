package org.sabir;

/** Thread.interrupt() ended a wait. The thread's interrupt flag is set; nothing is lost, call again. */
public class WaitInterruptedException extends SabirException {
  private static final long serialVersionUID = 1L;

  public WaitInterruptedException(String message) {
    super(ErrorKind.INTERRUPTED, message);
  }
}
