package org.sabir;

/** An actor could not take a call. */
public abstract class ActorException extends SabirException {
  private static final long serialVersionUID = 1L;

  ActorException(ErrorKind kind, String message, Throwable cause) {
    super(kind, message, cause);
  }
}
