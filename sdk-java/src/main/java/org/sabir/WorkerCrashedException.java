package org.sabir;

/** The process that ran the call died, and its retries are used up. */
public class WorkerCrashedException extends SabirException {
  private static final long serialVersionUID = 1L;

  public WorkerCrashedException(String message) {
    super(ErrorKind.WORKER_CRASHED, message);
  }
}
