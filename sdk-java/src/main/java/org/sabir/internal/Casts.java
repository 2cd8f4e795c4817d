package org.sabir.internal;

/** Casts that the compiler cannot check, in one place. */
final class Casts {
  private Casts() {}

  @SuppressWarnings("unchecked")
  static <T> T unchecked(Object value) {
    return (T) value;
  }
}
