package org.sabir;

/** It may run on one node only, and that node is gone, or can never run it. The message says which and why. */
public class UnschedulableException extends SabirException {
  private static final long serialVersionUID = 1L;

  public UnschedulableException(String message) {
    super(ErrorKind.UNSCHEDULABLE, message);
  }
}
