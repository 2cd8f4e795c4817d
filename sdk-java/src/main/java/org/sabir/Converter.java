package org.sabir;

/**
 * How values of a type of yours travel as what every language has. Registered by {@link
 * Sabir#registerConverter(Class, Converter)}, in the driver as in the workers (a static initializer of the class is a
 * good place).
 *
 * @param <T> the type
 */
public interface Converter<T> {
  /** The value as numbers, text, lists, maps, tensors or references. */
  Object toNeutral(T value);

  /** The other way. Called where the declared type of an argument, a result or an item is T. */
  T fromNeutral(Object neutral);
}
