package org.sabir;

/** The node that this process belonged to is gone: start again. */
public class NodeDiedException extends SabirException {
  private static final long serialVersionUID = 1L;

  public NodeDiedException(String message) {
    super(ErrorKind.DISCONNECTED, message);
  }
}
