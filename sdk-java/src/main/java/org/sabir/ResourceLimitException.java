package org.sabir;

/** A limit of the machine or of the session was reached. */
public class ResourceLimitException extends SabirException {
  private static final long serialVersionUID = 1L;

  public ResourceLimitException(String message) {
    super(ErrorKind.OUT_OF_MEMORY, message);
  }
}
