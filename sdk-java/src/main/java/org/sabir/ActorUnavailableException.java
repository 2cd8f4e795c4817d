package org.sabir;

/**
 * The actor restarts; this call was not retried and may have run.
 */
public class ActorUnavailableException extends ActorException {
  private static final long serialVersionUID = 1L;

  public ActorUnavailableException(String message, Throwable cause) {
    super(ErrorKind.ACTOR_UNAVAILABLE, message, cause);
  }
}
