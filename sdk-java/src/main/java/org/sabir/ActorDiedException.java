package org.sabir;

/**
 * The actor is gone for good: killed, its constructor failed, or it crashed with no restart left. The cause is an
 * error of the constructor, if there was one.
 */
public class ActorDiedException extends ActorException {
  private static final long serialVersionUID = 1L;

  public ActorDiedException(String message, Throwable cause) {
    super(ErrorKind.ACTOR_DIED, message, cause);
  }
}
