package conformance;

import static conformance.Checks.equal;
import static conformance.Checks.error;
import static conformance.Checks.until;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.sabir.ActorHandle;
import org.sabir.ErrorKind;
import org.sabir.Node;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.TaskCall;
import org.sabir.WaitResult;

/** Times and resources. */
final class ResourceChecks {
  /** How long a task waits for another that must not come; a slow machine makes the proof weaker, never wrong. */
  private static final int APART_MS = 250;

  private ResourceChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("get-timeout", pair -> {
      ObjectRef<Integer> ref = pair.callee().task("sleep", Integer.class, 300).remote();
      error(ErrorKind.TIMEOUT, () -> ref.get(Duration.ofMillis(50)));
      equal(ref.get(Callee.WAIT), 300);
    });
    checks.put("wait-timeout", pair -> {
      ObjectRef<Integer> ref = pair.callee().task("sleep", Integer.class, 300).remote();
      WaitResult<Integer> result = Sabir.wait(List.of(ref), 1, Duration.ofMillis(50));
      equal(result.ready(), List.of());
      equal(result.unready(), List.of(ref));
      equal(ref.get(Callee.WAIT), 300);
    });
    checks.put("timeout-negative", pair -> {
      Duration negative = Duration.ofSeconds(-1);
      ObjectRef<Integer> ready = pair.callee().task("add", Integer.class, 1, 2).remote();
      equal(ready.get(Callee.WAIT), 3);
      for (ObjectRef<Integer> ref : List.of(ready, pair.callee().task("sleep", Integer.class, 100).remote())) {
        error(ErrorKind.INVALID_ARGUMENT, () -> ref.get(negative));
        error(ErrorKind.INVALID_ARGUMENT, () -> Sabir.wait(List.of(ref), 1, negative));
      }
    });
    checks.put("cluster-resources", ResourceChecks::clusterResources);
    checks.put("cpus-two", pair -> meet(pair, task -> task.numCpus(2), APART_MS, false));
    checks.put("cpus-half", pair -> meet(pair, task -> task.numCpus(0.5), 30_000, true));
    checks.put("resource-custom", pair -> meet(pair, task -> task.resource("slot", 1), APART_MS, false));
    checks.put("resource-of-actor", pair -> {
      ActorHandle<Object> recorder = pair.callee().actor(0).resource("slot", 1).remote();
      Peer.add(recorder, 1);
      ObjectRef<Integer> ref = pair.callee().task("add", Integer.class, 1, 2).resource("slot", 1).remote();
      error(ErrorKind.TIMEOUT, () -> ref.get(Duration.ofMillis(APART_MS)));
      recorder.kill();
      equal(ref.get(Callee.WAIT), 3);
    });
    checks.put("resource-impossible", pair -> {
      ObjectRef<Integer> ref = pair.callee().task("add", Integer.class, 1, 2).resource("slot", 2).remote();
      error(ErrorKind.TIMEOUT, () -> ref.get(Duration.ofMillis(APART_MS)));
    });
  }

  private static void clusterResources(Pair pair) throws Exception {
    Map<String, Double> total = Sabir.clusterResources();
    equal(total.get("CPU"), 2.0);
    equal(total.get("slot"), 1.0);
    List<Node> nodes = Sabir.nodes();
    equal(nodes.size(), 1);
    equal(List.of(nodes.get(0).alive(), nodes.get(0).resources()), List.of(true, total));
    until(() -> Sabir.availableResources().get("slot") == 1, "the slot is free");
    ActorHandle<Object> recorder = pair.callee().actor(0).resource("slot", 0.5).remote();
    Peer.add(recorder, 1);
    equal(Sabir.availableResources().get("slot"), 0.5);
    recorder.kill();
    until(() -> Sabir.availableResources().get("slot") == 1, "the slot is free again");
  }

  private static void meet(Pair pair, UnaryOperator<TaskCall<Boolean>> options, int milliseconds, boolean wanted)
      throws Exception {
    String folder = pair.emptyFolder();
    ObjectRef<Boolean> one =
        options.apply(pair.callee().task("meet", Boolean.class, folder, "a", 2, milliseconds)).remote();
    ObjectRef<Boolean> two =
        options.apply(pair.callee().task("meet", Boolean.class, folder, "b", 2, milliseconds)).remote();
    equal(Sabir.get(List.of(one, two), Callee.WAIT), List.of(wanted, wanted));
  }
}
