package org.sabir;

/** What the caller can do about an error: the same kinds in every language (sabir_status in sabir.h). */
public enum ErrorKind {
  INVALID_ARGUMENT(1),
  NOT_FOUND(2),
  ALREADY_EXISTS(3),
  TIMEOUT(4),
  INTERRUPTED(5),
  CLOSED(6),
  FORKED(7),
  DISCONNECTED(8),
  INCOMPATIBLE(9),
  STORE_FULL(10),
  OUT_OF_MEMORY(11),
  TASK_FAILED(12),
  WORKER_CRASHED(13),
  ACTOR_DIED(14),
  ACTOR_UNAVAILABLE(15),
  OBJECT_LOST(16),
  CANCELLED(17),
  SYSTEM(18),
  INTERNAL(19),
  UNSCHEDULABLE(20),
  GROUP_REMOVED(21);

  private final int status;

  ErrorKind(int status) {
    this.status = status;
  }

  /** The number of the status in the C interface. */
  public int status() {
    return status;
  }

  /** The kind with this number; INTERNAL for numbers that this version does not know. */
  public static ErrorKind of(long status) {
    return status >= 1 && status <= values().length ? values()[(int) status - 1] : INTERNAL;
  }
}
