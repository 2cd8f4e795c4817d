package org.sabir;

/** The languages that meet in a session. */
public enum Language {
  NONE(0),
  PYTHON(1),
  JAVA(2),
  CPP(3),
  C(4);

  private final int code;

  Language(int code) {
    this.code = code;
  }

  /** Its number in values and errors. */
  public int code() {
    return code;
  }

  /** The language with this number; NONE for numbers that this version does not know. */
  public static Language of(long code) {
    return code >= 0 && code < values().length ? values()[(int) code] : NONE;
  }
}
