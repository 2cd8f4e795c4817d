package org.sabir;

/** The call was cancelled. */
public class TaskCancelledException extends SabirException {
  private static final long serialVersionUID = 1L;

  public TaskCancelledException(String message) {
    super(ErrorKind.CANCELLED, message);
  }
}
