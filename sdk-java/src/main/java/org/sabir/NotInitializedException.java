package org.sabir;

/** Sabir is not running in this process: init() was not called, or shutdown() was. */
public class NotInitializedException extends SabirException {
  private static final long serialVersionUID = 1L;

  public NotInitializedException(String message) {
    super(ErrorKind.CLOSED, message);
  }
}
