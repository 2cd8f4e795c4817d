package org.sabir;

/** The session runs a version of Sabir that this one cannot join. */
public class IncompatibleVersionException extends SabirException {
  private static final long serialVersionUID = 1L;

  public IncompatibleVersionException(String message) {
    super(ErrorKind.INCOMPATIBLE, message);
  }
}
