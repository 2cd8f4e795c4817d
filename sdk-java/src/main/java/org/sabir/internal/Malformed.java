package org.sabir.internal;

import org.sabir.SerializationException;

/** Bytes that are no value. */
final class Malformed {
  private Malformed() {}

  static SerializationException value(String form, long offset, String what) {
    return new SerializationException("malformed " + form + " value at byte " + offset + ": " + what);
  }
}
