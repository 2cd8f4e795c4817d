package org.sabir.internal;

/**
 * Thrown by exitActor(): the call that runs ends as those of a dead actor. An Error, so that users' code lets it pass.
 */
final class ActorExit extends Error {
  private static final long serialVersionUID = 1L;

  ActorExit() {
    super("the actor has ended itself by exitActor()", null, false, false);
  }
}
