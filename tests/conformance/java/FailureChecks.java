package conformance;

import static conformance.Checks.contains;
import static conformance.Checks.equal;
import static conformance.Checks.error;
import static conformance.Checks.require;
import static conformance.Checks.taskError;
import static conformance.Checks.until;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.ActorUnavailableException;
import org.sabir.ErrorKind;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.TaskCall;

/** Deaths of actors and of workers, restarts and retries. */
final class FailureChecks {
  private FailureChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("kill", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      Peer.add(recorder, 1);
      recorder.kill();
      error(ErrorKind.ACTOR_DIED, () -> Peer.add(recorder, 1));
    });
    checks.put("kill-running", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      Peer.add(recorder, 1);
      ObjectRef<Integer> running = recorder.task(ActorMethod.of("sleep", Integer.class), 60_000).remote();
      error(ErrorKind.TIMEOUT, () -> running.get(Duration.ofMillis(200)));
      recorder.kill();
      error(ErrorKind.ACTOR_DIED, () -> running.get(Callee.WAIT));
    });
    checks.put("kill-restart", pair -> {
      ActorHandle<Object> recorder = pair.callee().actor(100).maxRestarts(1).remote();
      equal(Peer.add(recorder, 5), 105);
      recorder.kill(false);
      until(() -> restarted(recorder) == 101, "a state that is new");
    });
    checks.put("actor-crash", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      error(ErrorKind.ACTOR_DIED, () -> Peer.ask(recorder, "die", Object.class, "abort"));
      error(ErrorKind.ACTOR_DIED, () -> Peer.add(recorder, 1));
    });
    checks.put("actor-restart", pair -> {
      ActorHandle<Object> recorder = pair.callee().actor(100).maxRestarts(1).remote();
      int before = Peer.ask(recorder, "pid", Integer.class);
      Peer.add(recorder, 5);
      error(ErrorKind.ACTOR_UNAVAILABLE, () -> Peer.ask(recorder, "die", Object.class, "abort"));
      equal(restarted(recorder), 101);
      require(Peer.ask(recorder, "pid", Integer.class) != before, "the same process");
    });
    checks.put("actor-retry", pair -> {
      ActorHandle<Object> recorder = pair.callee().actor(0).maxRestarts(1).maxTaskRetries(1).remote();
      equal(Peer.ask(recorder, "mortal", Integer.class, 1), 1);
    });
    checks.put("task-abort", pair -> dies(pair, "abort"));
    checks.put("task-segfault", pair -> dies(pair, "segfault"));
    checks.put("task-exit", pair -> contains(dies(pair, "exit").getMessage(), "7"));
    checks.put("task-retry-crash",
        pair -> equal(pair.callee().task("mortal", Integer.class, 2).maxRetries(2).remote().get(Callee.WAIT), 2));
    checks.put("task-retry-error",
        pair
        -> equal(
            pair.callee().task("flaky", Integer.class, 2).maxRetries(2).retryExceptions(true).remote().get(Callee.WAIT),
            2));
    checks.put("task-retry-type", FailureChecks::retryType);
    checks.put("task-no-retry-error",
        pair
        -> contains(
            taskError(() -> pair.callee().task("flaky", Integer.class, 2).maxRetries(2).remote().get(Callee.WAIT))
                .remoteMessage(),
            "attempt 0 fails"));
    checks.put("crash-and-others", FailureChecks::crashAndOthers);
  }

  private static void retryType(Pair pair) throws Exception {
    TaskCall<Integer> flaky = pair.callee().task("flaky", Integer.class, 2).maxRetries(2);
    switch (pair.callee().language()) {
      case "python" -> {
        equal(flaky.retryExceptions("ValueError").remote().get(Callee.WAIT), 2);
        equal(flaky.retryExceptions("builtins.LookupError", "builtins.Exception").remote().get(Callee.WAIT), 2);
        flaky.retryExceptions("LookupError");
      }
      case "cpp" -> {
        equal(flaky.retryExceptions("std::runtime_error").remote().get(Callee.WAIT), 2);
        equal(flaky.retryExceptions("std::bad_alloc", "std::exception").remote().get(Callee.WAIT), 2);
        flaky.retryExceptions("std::logic_error");
      }
      default -> {
        equal(flaky.retryExceptions(IllegalStateException.class).remote().get(Callee.WAIT), 2);
        equal(flaky.retryExceptions(IOException.class, RuntimeException.class).remote().get(Callee.WAIT), 2);
        flaky.retryExceptions(IOException.class);
      }
    }
    contains(taskError(() -> flaky.remote().get(Callee.WAIT)).remoteMessage(), "attempt 0 fails");
  }

  /** Adds 1 as soon as the actor takes calls again. */
  private static int restarted(ActorHandle<Object> recorder) throws Exception {
    int[] value = new int[1];
    until(() -> {
      try {
        value[0] = Peer.add(recorder, 1);
        return true;
      } catch (ActorUnavailableException notYet) {
        return false;
      }
    }, "an actor that restarts");
    return value[0];
  }

  private static ObjectRef<Object> dying(Pair pair, String how) {
    return pair.callee().task("die", Object.class, how).maxRetries(0).remote();
  }

  private static SabirException dies(Pair pair, String how) throws Exception {
    return error(ErrorKind.WORKER_CRASHED, () -> dying(pair, how).get(Callee.WAIT));
  }

  private static void crashAndOthers(Pair pair) throws Exception {
    List<ObjectRef<Integer>> others = new ArrayList<>();
    List<Integer> wanted = new ArrayList<>();
    ObjectRef<Object> dying = null;
    for (int i = 0; i < 40; ++i) {
      if (i == 20) {
        dying = dying(pair, "abort");
      }
      others.add(pair.callee().task("add", Integer.class, i, 1).remote());
      wanted.add(i + 1);
    }
    ObjectRef<Object> died = dying;
    error(ErrorKind.WORKER_CRASHED, () -> died.get(Callee.WAIT));
    equal(Sabir.get(others, Callee.WAIT), wanted);
  }
}
