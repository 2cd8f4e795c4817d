package org.sabir.internal;

import java.util.concurrent.ConcurrentHashMap;
import org.sabir.Converter;

/** Converters that users registered, by type. */
public final class Converters {
  /** A type with its converter. */
  record Registered<T>(Class<T> type, Converter<T> converter) {
    Object toNeutral(Object value) {
      return converter.toNeutral(type.cast(value));
    }
  }

  private static final ConcurrentHashMap<Class<?>, Registered<?>> BY_TYPE = new ConcurrentHashMap<>();

  private Converters() {}

  public static <T> void register(Class<T> type, Converter<T> converter) {
    BY_TYPE.put(type, new Registered<>(type, converter));
  }

  /** The converter of exactly this type, or null. */
  static Registered<?> of(Class<?> type) {
    return BY_TYPE.isEmpty() ? null : BY_TYPE.get(type);
  }

  /** The same, after the type's static initializer, which may register it. Null if there is none. */
  static Registered<?> afterInitializing(Class<?> type) {
    Registered<?> known = of(type);
    if (known == null && type.getClassLoader() != null) {
      try {
        Class.forName(type.getName(), true, type.getClassLoader());
      } catch (ClassNotFoundException impossible) {
        throw new AssertionError(impossible);
      }
      known = of(type);
    }
    return known;
  }
}
