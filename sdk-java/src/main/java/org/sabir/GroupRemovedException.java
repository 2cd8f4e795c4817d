package org.sabir;

/** The placement group that it was to run in, or ran in, was removed, or ended with the job that made it. */
public class GroupRemovedException extends SabirException {
  private static final long serialVersionUID = 1L;

  public GroupRemovedException(String message) {
    super(ErrorKind.GROUP_REMOVED, message);
  }
}
