package org.sabir;

/** A value cannot be sent or read. The message names the type, the place in the value, and what to do. */
public class SerializationException extends SabirException {
  private static final long serialVersionUID = 1L;

  public SerializationException(String message) {
    this(message, null);
  }

  public SerializationException(String message, Throwable cause) {
    super(ErrorKind.INVALID_ARGUMENT, message, cause);
  }
}
