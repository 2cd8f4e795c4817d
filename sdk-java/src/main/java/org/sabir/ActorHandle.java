package org.sabir;

/**
 * A handle of an actor. It can be passed to tasks and other actors; the actor lives while handles do.
 *
 * @param <A> its class; Object if it lives in another language
 */
public interface ActorHandle<A> {
  /** 32 hexadecimal digits. */
  String id();
}
