package conformance;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.sabir.ErrorKind;
import org.sabir.SabirException;
import org.sabir.TaskException;

/** The scenarios that this program knows, beside the values, and what they check with. */
final class Checks {
  /** One scenario. */
  interface Check {
    void run(Pair pair) throws Exception;
  }

  /** What may throw. */
  interface Action {
    void run() throws Exception;
  }

  /** What is waited for. */
  interface Condition {
    boolean holds() throws Exception;
  }

  /** What a scenario saw and did not want. */
  static final class Unexpected extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unexpected(String message) {
      super(message);
    }
  }

  static final Map<String, Check> ALL = new LinkedHashMap<>();

  static {
    CallChecks.add(ALL);
    ReferenceChecks.add(ALL);
    ErrorChecks.add(ALL);
    ActorChecks.add(ALL);
    NameChecks.add(ALL);
    FailureChecks.add(ALL);
    ResourceChecks.add(ALL);
    StoreChecks.add(ALL);
  }

  private Checks() {}

  static void require(boolean condition, Object about) {
    if (!condition) {
      throw new Unexpected(String.valueOf(about));
    }
  }

  static void equal(Object found, Object wanted) {
    require(Objects.deepEquals(found, wanted), "found " + found + " instead of " + wanted);
  }

  static void contains(String text, String part) {
    require(text.contains(part), "no " + part + " in " + text);
  }

  /** The error that is thrown; a kind of null: any. */
  static SabirException error(ErrorKind kind, Action action) throws Exception {
    try {
      action.run();
    } catch (SabirException error) {
      require(kind == null || error.kind() == kind, error.kind() + " instead of " + kind + ": " + error.getMessage());
      return error;
    }
    throw new Unexpected("no error");
  }

  static TaskException taskError(Action action) throws Exception {
    return (TaskException) error(ErrorKind.TASK_FAILED, action);
  }

  /** Messages and stacks of an error and all of its causes. */
  static String everything(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable at = error; at != null; at = at.getCause()) {
      text.append(at).append('\n');
      if (at instanceof TaskException task) {
        text.append(task.remoteType()).append('\n').append(task.remoteStack()).append('\n');
      }
    }
    return text.toString();
  }

  static void until(Condition condition, String what) throws Exception {
    long deadline = System.nanoTime() + Callee.WAIT.toNanos();
    while (!condition.holds()) {
      require(System.nanoTime() < deadline, "not in time: " + what);
      Thread.sleep(20);
    }
  }
}
