package org.sabir.internal;

/** Texts for error messages; none of these throws, whatever users' code does. */
public final class Texts {
  private static final int SHOWN_CHARACTERS = 60;

  private Texts() {}

  /** toString() of users' code, on one line and not too long. */
  static String shortened(Object value) {
    String text;
    try {
      text = String.valueOf(value);
    } catch (Throwable broken) {
      text = "a " + value.getClass().getName();
    }
    text = text.replace('\n', ' ');
    return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS - 3) + "...";
  }

  /** Text with each lone surrogate replaced, so that UTF-8 can hold it. */
  public static byte[] utf8(String text) {
    return text == null ? new byte[0] : text.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  public static String ofUtf8(byte[] bytes) {
    return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
  }
}
