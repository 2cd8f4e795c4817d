package org.sabir;

/**
 * An argument of a call: a reference, or a value. Calls of up to four arguments take both as they are; longer ones take
 * all values as they are, or all as Args, with {@link #of} for the values among them.
 *
 * @param <T> the type of the parameter
 */
public interface Arg<T> {
  /** A value as an Arg. */
  static <T> Arg<T> of(T value) {
    return new Value<>(value);
  }

  /**
   * What {@link #of} returns.
   *
   * @param <T> the type of the value
   */
  record Value<T>(T value) implements Arg<T> {}
}
