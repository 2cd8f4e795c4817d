package org.sabir;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * A reference to a value that is in the store, or still being computed. It can be passed to tasks and actors: as an
 * argument it is replaced by its value, inside a list, a map or an object it arrives as a reference. The value lives as
 * long as somebody refers to it.
 *
 * @param <T> the type of the value
 */
public interface ObjectRef<T> extends Arg<T> {
  /** Waits for the value. Throws the error of the call that was to make it. */
  T get();

  /** The same, but waits no longer than this: then GetTimeoutException. */
  T get(Duration timeout);

  /** Completes with the value or the error. It does not block a thread meanwhile. */
  CompletableFuture<T> toCompletableFuture();

  /** True if there is a value or an error. Never waits. */
  boolean isReady();

  /** The name of the value, equal in every process and language: 32 hexadecimal digits. */
  String id();

  /** The same reference, its value read as this type. Nothing is converted before get(). */
  <U> ObjectRef<U> as(Class<U> type);
}
