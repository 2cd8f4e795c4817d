package conformance;

import static conformance.Checks.equal;
import static conformance.Checks.require;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.sabir.CppFunction;
import org.sabir.ErrorKind;
import org.sabir.JavaFunction;
import org.sabir.NamedFunction;
import org.sabir.ObjectRef;
import org.sabir.PyFunction;
import org.sabir.RuntimeEnv;
import org.sabir.Sabir;

/** Sizes and calls. */
final class CallChecks {
  private CallChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("size-around-cells", pair -> echoes(pair, 0, 200));
    checks.put("size-around-blocks", pair -> echoes(pair, 4096 - 100, 4096 + 20));
    checks.put("size-around-store", pair -> echoes(pair, 65536 - 100, 65536 + 20));
    checks.put("call-no-arguments", pair -> equal(pair.callee().call("nothing", Object.class), null));
    checks.put("call-ten-arguments",
        pair
        -> equal(pair.callee().call("join", String.class, 1, "two", 3.0, null, List.of(5), Map.of("six", 6),
                     new byte[] {'7'}, true, -9, "ten"),
            "[1, \"two\", float:4008000000000000, null, [5], {\"six\": 6}, bytes:37, true, -9, \"ten\"]"));
    checks.put("call-two-results", pair -> {
      List<ObjectRef<Object>> both = pair.callee().task("pair", Object.class, 1, "one").remoteMany(2);
      equal(Sabir.get(both, Callee.WAIT), List.of("one", 1L));
    });
    checks.put("call-keywords",
        pair
        -> equal(pair.callee()
                     .task("scaled", Integer.class, 2)
                     .keyword("offset", 1)
                     .keyword("factor", 10)
                     .remote()
                     .get(Callee.WAIT),
            21));
    checks.put("call-nested", pair -> equal(pair.callee().number("fibonacci", 5), 5));
    checks.put("call-runtime-env", CallChecks::runtimeEnv);
    checks.put("call-back", pair -> equal(pair.callee().number("relay", pair.own().language(), 3, 4), 7));
    checks.put("call-many", CallChecks::many);
    checks.put("call-threads", CallChecks::threads);
    checks.put("call-parallel", CallChecks::parallel);
  }

  private static void runtimeEnv(Pair pair) throws Exception {
    NamedFunction<String> extra = switch (pair.callee().language()) {
      case "python" -> PyFunction.of("conformance_extra", "extra", String.class);
      case "cpp" -> CppFunction.of("extra", String.class);
      default -> JavaFunction.of("conformance.extra.Extra", "extra", String.class);
    };
    Checks.error(ErrorKind.NOT_FOUND, () -> Sabir.task(extra).remote().get(Callee.WAIT));
    RuntimeEnv env = RuntimeEnv.ofCode(System.getenv("CONFORMANCE_EXTRA").split(":"));
    equal(Sabir.task(extra).runtimeEnv(env).remote().get(Callee.WAIT), "found");
  }

  private static void echoes(Pair pair, int from, int to) {
    List<ObjectRef<byte[]>> refs = new ArrayList<>();
    for (int size = from; size < to; ++size) {
      refs.add(pair.callee().task("echo", byte[].class, Samples.pattern(size)).remote());
    }
    for (int size = from; size < to; ++size) {
      byte[] back = refs.get(size - from).get(Callee.WAIT);
      require(Arrays.equals(back, Samples.pattern(size)), size + " bytes came back changed");
    }
  }

  private static void many(Pair pair) {
    List<ObjectRef<Integer>> refs = new ArrayList<>();
    List<Integer> wanted = new ArrayList<>();
    for (int i = 0; i < 500; ++i) {
      refs.add(pair.callee().task("add", Integer.class, i, 1).remote());
      wanted.add(i + 1);
    }
    equal(Sabir.get(refs, Callee.WAIT), wanted);
  }

  private static void threads(Pair pair) throws Exception {
    List<CompletableFuture<Integer>> sums = new ArrayList<>();
    for (int i = 0; i < 4; ++i) {
      int first = i;
      CompletableFuture<Integer> future = new CompletableFuture<>();
      sums.add(future);
      new Thread(() -> future.completeAsync(() -> {
        int sum = 0;
        for (int j = 0; j < 25; ++j) {
          sum += pair.callee().number("add", first, j);
        }
        return sum;
      }, Runnable::run)).start();
    }
    for (int i = 0; i < 4; ++i) {
      equal(sums.get(i).get(60, java.util.concurrent.TimeUnit.SECONDS), 300 + 25 * i);
    }
  }

  private static void parallel(Pair pair) throws Exception {
    String folder = pair.emptyFolder();
    ObjectRef<Boolean> one = pair.callee().task("meet", Boolean.class, folder, "a", 2, 30_000).remote();
    ObjectRef<Boolean> two = pair.callee().task("meet", Boolean.class, folder, "b", 2, 30_000).remote();
    equal(Sabir.get(List.of(one, two), Callee.WAIT), List.of(true, true));
  }
}
