package org.sabir;

/** An actor of that name exists. */
public class NameTakenException extends SabirException {
  private static final long serialVersionUID = 1L;

  public NameTakenException(String message) {
    super(ErrorKind.ALREADY_EXISTS, message);
  }
}
