package org.sabir;

/** The languages that meet in a session. */
public enum Language {
  NONE(0, "no language"),
  PYTHON(1, "Python"),
  JAVA(2, "Java"),
  CPP(3, "C++"),
  C(4, "C");

  private final int code;
  private final String displayName;

  Language(int code, String displayName) {
    this.code = code;
    this.displayName = displayName;
  }

  /** Its number in values and errors. */
  public int code() {
    return code;
  }

  /** What people call it. */
  public String displayName() {
    return displayName;
  }

  /** The language with this number; NONE for numbers that this version does not know. */
  public static Language of(long code) {
    return code >= 0 && code < values().length ? values()[(int) code] : NONE;
  }
}
