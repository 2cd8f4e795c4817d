package org.sabir;

import org.sabir.internal.FunctionKey;

/**
 * A function that is known by its name only: PyFunction, CppFunction, JavaFunction.
 *
 * @param <R> what it returns
 */
public abstract sealed class NamedFunction<R> permits PyFunction, CppFunction, JavaFunction {
  private final FunctionKey key;
  private final Class<R> type;

  NamedFunction(Language language, String name, String code, Class<R> type) {
    this.key = new FunctionKey(language, name, code);
    this.type = type;
  }

  final FunctionKey key() {
    return key;
  }

  final Class<R> type() {
    return type;
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "(" + key.name() + ")";
  }
}
