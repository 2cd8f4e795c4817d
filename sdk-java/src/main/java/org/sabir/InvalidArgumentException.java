package org.sabir;

/** An argument that no state of the session could make valid. */
public class InvalidArgumentException extends SabirException {
  private static final long serialVersionUID = 1L;

  public InvalidArgumentException(String message) {
    super(ErrorKind.INVALID_ARGUMENT, message);
  }
}
