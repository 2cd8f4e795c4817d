package org.sabir;

/**
 * A method of an actor by its name, for actors of other languages.
 *
 * @param name the method's name
 * @param type what it returns is read as this
 * @param <R> the same
 */
public record ActorMethod<R>(String name, Class<R> type) {
  public static <R> ActorMethod<R> of(String name, Class<R> type) {
    return new ActorMethod<>(name, type);
  }

  /** Whatever it returns, as the most general type of Java for it. */
  public static ActorMethod<Object> of(String name) {
    return new ActorMethod<>(name, Object.class);
  }
}
