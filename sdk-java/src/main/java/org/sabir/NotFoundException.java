package org.sabir;

/** No actor, function or class of that name exists. The message says where it was looked for. */
public class NotFoundException extends SabirException {
  private static final long serialVersionUID = 1L;

  public NotFoundException(String message) {
    super(ErrorKind.NOT_FOUND, message);
  }
}
