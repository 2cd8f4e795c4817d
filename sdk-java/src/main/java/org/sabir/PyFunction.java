package org.sabir;

/**
 * A Python function by its name, decorated with {@code @sabir.remote} or not. Its module must be on the path of
 * Python's workers (SabirOptions.Builder.codeSearchPath).
 *
 * @param <R> what it returns
 */
public final class PyFunction<R> extends NamedFunction<R> {
  private PyFunction(String module, String name, Class<R> type) {
    super(Language.PYTHON, name, "@" + module + ":" + name, type);
  }

  /** The function {@code name} (for one inside a class: {@code "Class.name"}) of a module. */
  public static <R> PyFunction<R> of(String module, String name, Class<R> type) {
    return new PyFunction<>(module, name, type);
  }

  /** The same; what it returns is read as the most general type of Java for it. */
  public static PyFunction<Object> of(String module, String name) {
    return new PyFunction<>(module, name, Object.class);
  }
}
