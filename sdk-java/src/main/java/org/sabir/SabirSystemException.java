package org.sabir;

/** The operating system refused something (SYSTEM), or Sabir has a defect (INTERNAL). */
public class SabirSystemException extends SabirException {
  private static final long serialVersionUID = 1L;

  public SabirSystemException(ErrorKind kind, String message) {
    super(kind, message);
  }

  public SabirSystemException(String message, Throwable cause) {
    super(ErrorKind.SYSTEM, message, cause);
  }
}
