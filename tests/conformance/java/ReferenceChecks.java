package conformance;

import static conformance.Checks.contains;
import static conformance.Checks.equal;
import static conformance.Checks.everything;
import static conformance.Checks.taskError;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Tensor;
import org.sabir.WaitResult;

/** References and waiting for them. */
final class ReferenceChecks {
  private ReferenceChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("ref-argument", pair -> equal(pair.callee().number("add", Sabir.put(20), 1), 21));
    checks.put("ref-of-call", pair -> equal(pair.callee().number("add", sleep(pair, 100), 1), 101));
    checks.put("ref-chain", pair -> {
      ObjectRef<Integer> ref = Sabir.put(0);
      for (int i = 0; i < 20; ++i) {
        ref = pair.callee().task("add", Integer.class, ref, 1).remote();
      }
      equal(ref.get(Callee.WAIT), 20);
    });
    checks.put("ref-twice", pair -> {
      ObjectRef<Integer> ref = Sabir.put(21);
      equal(pair.callee().number("add", ref, ref), 42);
    });
    checks.put("ref-in-list", ReferenceChecks::inList);
    checks.put("ref-in-map",
        pair
        -> equal(pair.callee().call("describe", String.class, Map.of("a", Map.of("b", Sabir.put(List.of(1))))),
            "{\"a\": {\"b\": ref([1])}}"));
    checks.put("ref-in-ref", pair -> {
      ObjectRef<?> outer = Sabir.put(List.of(Sabir.put(List.of(Sabir.put(5)))));
      System.gc();
      equal(pair.callee().call("describe", String.class, List.of(outer)), "[ref([ref([ref(5)])])]");
    });
    checks.put("ref-identity", pair -> {
      ObjectRef<String> ref = Sabir.put("some text");
      equal(pair.callee().call("idof", String.class, List.of(ref)), ref.id());
      equal(pair.callee().call("echo", List.class, List.of(ref)), List.of(ref));
    });
    checks.put("ref-returned", pair -> {
      equal(Described.text(first(pair.callee().call("store", List.class, Map.of("k", List.of(1, 2))))),
          "ref({\"k\": [1, 2]})");
      byte[] data = Samples.pattern(1 << 20);
      equal(first(pair.callee().call("store", List.class, data)).get(Callee.WAIT), data);
    });
    checks.put("ref-returned-pending",
        pair -> equal(first(pair.callee().call("later", List.class, 200)).get(Callee.WAIT), 200L));
    checks.put("ref-kept", ReferenceChecks::kept);
    checks.put("ref-failed-argument", pair -> {
      ObjectRef<Object> failed = pair.callee().task("fail", Object.class, "no number").remote();
      contains(everything(taskError(() -> pair.callee().number("add", failed, 1))), "no number");
    });
    checks.put("ref-failed-in-list", pair -> {
      ObjectRef<Object> failed = pair.callee().task("fail", Object.class, "no number").remote();
      contains(everything(taskError(() -> pair.callee().number("gather", List.of(failed)))), "no number");
    });
    checks.put("ref-large", pair -> {
      float[] numbers = new float[16 << 20];
      Arrays.fill(numbers, 0.5f);
      ObjectRef<Tensor> ref = Sabir.put(Tensor.of(numbers));
      equal(pair.callee().call("total", Double.class, ref), (double) (8 << 20));
      equal(pair.callee().call("total", Double.class, ref), (double) (8 << 20));
    });
    checks.put("get-many",
        pair
        -> equal(Sabir.get(
                     List.of(sleep(pair, 100), pair.callee().task("add", Integer.class, 1, 2).remote(), Sabir.put("x")),
                     Callee.WAIT),
            List.of(100, 3, "x")));
    checks.put("wait-some", ReferenceChecks::waitSome);
  }

  private static ObjectRef<Integer> sleep(Pair pair, int milliseconds) {
    return pair.callee().task("sleep", Integer.class, milliseconds).remote();
  }

  private static ObjectRef<?> first(List<?> refs) {
    return (ObjectRef<?>) refs.get(0);
  }

  private static void inList(Pair pair) {
    equal(pair.callee().call("describe", String.class, List.of(Sabir.put(5), Sabir.put("x"))), "[ref(5), ref(\"x\")]");
    ObjectRef<Integer> three = pair.callee().task("add", Integer.class, 1, 2).remote();
    equal(pair.callee().number("gather", List.of(Sabir.put(5), three)), 8);
  }

  private static void kept(Pair pair) {
    ActorHandle<Object> recorder = pair.callee().recorder(0);
    Peer.ask(recorder, "keep", Object.class,
        List.of(Sabir.put(40), pair.callee().task("add", Integer.class, 1, 1).remote()));
    System.gc(); // nobody here has them any more
    equal(Peer.ask(recorder, "total", Integer.class), 42);
  }

  private static void waitSome(Pair pair) {
    ObjectRef<Integer> slow = sleep(pair, 400);
    ObjectRef<Integer> quick = pair.callee().task("add", Integer.class, 1, 2).remote();
    WaitResult<Integer> some = Sabir.wait(List.of(slow, quick), 1, Callee.WAIT);
    equal(some.ready(), List.of(quick));
    equal(some.unready(), List.of(slow));
    WaitResult<Integer> all = Sabir.wait(List.of(slow, quick), 2, Callee.WAIT);
    equal(all.ready(), List.of(slow, quick));
    equal(all.unready(), List.of());
  }
}
