package org.sabir;

/**
 * A C++ function by the name under which it was registered.
 *
 * @param <R> what it returns
 */
public final class CppFunction<R> extends NamedFunction<R> {
  private CppFunction(String name, Class<R> type) {
    super(Language.CPP, name, name, type);
  }

  public static <R> CppFunction<R> of(String name, Class<R> type) {
    return new CppFunction<>(name, type);
  }
}
