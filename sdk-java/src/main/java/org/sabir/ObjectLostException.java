package org.sabir;

/** The value is gone and cannot be made again. */
public class ObjectLostException extends SabirException {
  private static final long serialVersionUID = 1L;

  public ObjectLostException(String message) {
    super(ErrorKind.OBJECT_LOST, message);
  }
}
