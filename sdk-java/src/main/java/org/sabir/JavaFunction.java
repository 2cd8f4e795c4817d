package org.sabir;

/**
 * A Java method by its name, where the class is not on this program's class path. Of several methods of that name the
 * one is called that the arguments fit.
 *
 * @param <R> what it returns
 */
public final class JavaFunction<R> extends NamedFunction<R> {
  private JavaFunction(String className, String method, Class<R> type) {
    super(Language.JAVA, className.substring(className.lastIndexOf('.') + 1) + "." + method, className + "::" + method,
        type);
  }

  public static <R> JavaFunction<R> of(String className, String method, Class<R> type) {
    return new JavaFunction<>(className, method, type);
  }
}
