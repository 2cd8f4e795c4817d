package org.sabir;

/** The value was not there in time: call again. */
public class GetTimeoutException extends SabirException {
  private static final long serialVersionUID = 1L;

  public GetTimeoutException(String message) {
    super(ErrorKind.TIMEOUT, message);
  }
}
