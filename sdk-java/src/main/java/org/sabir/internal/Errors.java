package org.sabir.internal;

import java.util.Map;
import org.sabir.*;

/** Between errors as values, errors of the C interface, and exceptions. */
public final class Errors {
  private static final int DEPTH_MAX = 16;

  private Errors() {}

  /** What native code throws. */
  static Throwable ofStatus(int status, byte[] message) {
    return of(ErrorKind.of(status), Texts.ofUtf8(message), null);
  }

  static SabirException of(ErrorKind kind, String message, Throwable cause) {
    SabirException error = withoutCause(kind, message, cause);
    if (cause != null && error.getCause() == null) {
      error.initCause(cause);
    }
    return error;
  }

  private static SabirException withoutCause(ErrorKind kind, String message, Throwable cause) {
    switch (kind) {
      case INVALID_ARGUMENT:
        return new InvalidArgumentException(message);
      case NOT_FOUND:
        return new NotFoundException(message);
      case ALREADY_EXISTS:
        return new NameTakenException(message);
      case TIMEOUT:
        return new GetTimeoutException(message);
      case INTERRUPTED:
        return new WaitInterruptedException(message);
      case CLOSED:
        return new NotInitializedException(message);
      case DISCONNECTED:
        return new NodeDiedException(message);
      case INCOMPATIBLE:
        return new IncompatibleVersionException(message);
      case STORE_FULL:
        return new ObjectStoreFullException(message);
      case OUT_OF_MEMORY:
        return new ResourceLimitException(message);
      case TASK_FAILED:
        return new TaskException(message, Language.NONE, "", "", cause);
      case WORKER_CRASHED:
        return new WorkerCrashedException(message);
      case ACTOR_DIED:
        return new ActorDiedException(message, cause);
      case ACTOR_UNAVAILABLE:
        return new ActorUnavailableException(message, cause);
      case OBJECT_LOST:
        return new ObjectLostException(message);
      case CANCELLED:
        return new TaskCancelledException(message);
      case UNSCHEDULABLE:
        return new UnschedulableException(message);
      case GROUP_REMOVED:
        return new GroupRemovedException(message);
      default:
        return new SabirSystemException(kind, message);
    }
  }

  /** The exception for an error value. */
  static SabirException ofValue(Incoming value) {
    byte[] map = new byte[Math.toIntExact(value.data().size())];
    value.data().whole().get(map);
    Object fields;
    try {
      fields = FlexReader.read(Bytes.of(map).whole());
    } catch (SerializationException malformed) {
      return new SabirSystemException(
          ErrorKind.INTERNAL, "an error value that cannot be read: " + malformed.getMessage());
    }
    if (!(fields instanceof Map<?, ?> error)) {
      return new SabirSystemException(ErrorKind.INTERNAL, "an error value that is no map");
    }
    SabirException exception = ofMap(error, 0);
    ErrorMaps.remember(exception, map);
    return exception;
  }

  private static SabirException ofMap(Map<?, ?> fields, int depth) {
    ErrorKind kind = fields.get("kind") instanceof Long number ? ErrorKind.of(number) : ErrorKind.INTERNAL;
    String message = text(fields, "message");
    Throwable cause = null;
    if (fields.get("cause") instanceof Map<?, ?> inner && depth < DEPTH_MAX) {
      cause = ofMap(inner, depth + 1);
    }
    if (kind != ErrorKind.TASK_FAILED) {
      if (kind == ErrorKind.INVALID_ARGUMENT && text(fields, "type").equals(SerializationException.class.getName())) {
        return new SerializationException(message, cause);
      }
      return of(kind, message, cause);
    }
    Language language = Language.of(fields.get("language") instanceof Long number ? number : 0);
    Throwable original = language == Language.JAVA ? original(fields.get("native")) : null;
    if (original != null && cause != null) {
      try {
        if (original.getCause() == null) {
          original.initCause(cause);
        }
      } catch (Throwable ofUsersCode) {
        // it says that it has none, or its methods throw
      }
    }
    return new TaskException(
        message, language, text(fields, "type"), text(fields, "stack"), original != null ? original : cause);
  }

  private static String text(Map<?, ?> fields, String key) {
    return fields.get(key) instanceof String text ? text : "";
  }

  private static Throwable original(Object bytes) {
    if (!(bytes instanceof byte[] stream)) {
      return null;
    }
    try {
      return ObjectStreams.read(Bytes.of(stream).whole(), ReferenceTable.EMPTY) instanceof Throwable exception
          ? exception
          : null;
    } catch (SerializationException classesNotHere) {
      return null;
    }
  }
}
