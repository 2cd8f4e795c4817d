package org.sabir.internal;

import org.sabir.Language;

/**
 * What a worker is to run.
 *
 * @param name for people, logs and errors
 * @param code what a worker of the language finds it by (docs/values.md)
 */
public record FunctionKey(Language language, String name, String code) {
  /** Kinds of functions (sabir_function_kind). */
  public static final int TASK = 1;

  public static final int CLASS = 2;
  public static final int METHOD = 3;
}
