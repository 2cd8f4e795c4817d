package org.sabir;

/** Base of every error that Sabir throws. Subclasses say what the caller can do about it. */
public class SabirException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorKind kind;

  public SabirException(ErrorKind kind, String message) {
    super(message); // a cause of null would be for good
    this.kind = kind;
  }

  public SabirException(ErrorKind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  /** The same kinds in every language. */
  public final ErrorKind kind() {
    return kind;
  }
}
