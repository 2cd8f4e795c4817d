package org.sabir;

/** No room for another object. The message says what fills the store. */
public class ObjectStoreFullException extends SabirException {
  private static final long serialVersionUID = 1L;

  public ObjectStoreFullException(String message) {
    super(ErrorKind.STORE_FULL, message);
  }
}
