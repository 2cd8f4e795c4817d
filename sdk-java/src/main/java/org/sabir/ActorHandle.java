package org.sabir;

/**
 * A handle of an actor. It can be passed to tasks and other actors; the actor lives while handles do. Calls of one
 * thread run in the order in which they were made.
 *
 * @param <A> its class; Object if it lives in another language
 */
public interface ActorHandle<A> extends ActorCalls<A> {
  /** 32 hexadecimal digits. */
  String id();

  /** The language it lives in. */
  Language language();

  /** The name of its class, for people. */
  String className();

  /**
   * Ends its process at once; calls that wait for it fail with ActorDiedException.
   *
   * @param noRestart false: it restarts if it has restarts left
   */
  void kill(boolean noRestart);

  /** Ends its process at once and for good. */
  default void kill() {
    kill(true);
  }

  /**
   * A call of a method by its name, in whatever language. References among the arguments are replaced by their values.
   */
  default<R> MethodCall<R> task(ActorMethod<R> method, Object... args) {
    return MethodCall.of(this, method, args);
  }
}
