package org.sabir;

import org.sabir.internal.Converters;

/** Entry point. */
public final class Sabir {
  private Sabir() {}

  /** Registers a converter. */
  public static <T> void registerConverter(Class<T> type, Converter<T> converter) {
    Converters.register(type, converter);
  }
}
