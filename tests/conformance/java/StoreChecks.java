package conformance;

import static conformance.Checks.equal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorOptions;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.Tensor;

/** A store that is too small for all that is made, and a second driver that shares it. */
final class StoreChecks {
  private StoreChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("pressure-results", pair -> {
      for (int i = 0; i < 20; ++i) {
        equal(pair.callee().call("make", Tensor.class, "size-64-mib-tensor").shape()[0], 4096L);
      }
    });
    checks.put("pressure-slices", StoreChecks::slices);
    checks.put("driver-second", StoreChecks::second);
  }

  private static void slices(Pair pair) {
    Object tensor = Samples.make("size-64-mib-tensor");
    ActorHandle<Object> recorder = pair.callee().recorder(0);
    for (int i = 1; i <= 12; ++i) {
      equal(Peer.ask(recorder, "hold", Integer.class, Sabir.put(tensor)), i);
    }
    Peer.ask(recorder, "drop", Object.class);
    List<ObjectRef<Object>> refs = new ArrayList<>();
    for (int i = 0; i < 8; ++i) {
      refs.add(Sabir.put(tensor));
    }
    equal(refs.size(), 8);
    recorder.kill();
  }

  private static void second(Pair pair) throws Exception {
    ActorHandle<Object> recorder = pair.own().actor(1).options(ActorOptions.builder().name("shared").build()).remote();
    Peer.ask(
        recorder, "keep", Object.class, List.of(Sabir.put(5), pair.callee().task("add", Integer.class, 3, 4).remote()));
    String command = System.getenv("CONFORMANCE_SECOND") + " join '" + pair.session() + "' shared >&2";
    equal(new ProcessBuilder("sh", "-c", command).inheritIO().start().waitFor(), 0);
    equal(Peer.add(recorder, 1), 4);
    equal(Peer.ask(recorder, "total", Integer.class), 42);
    recorder.kill();
  }

  /** The second driver. */
  static void join(String address, String name) {
    SabirOptions options = SabirOptions.builder().address(address).namespace("conformance").logToDriver(false).build();
    try (Session session = Sabir.init(options)) {
      ActorHandle<Object> recorder = Sabir.<Object>getActor(name).orElseThrow();
      equal(Peer.add(recorder, 2), 3);
      List<Object> values = new ArrayList<>();
      for (Object ref : Peer.ask(recorder, "lend", List.class)) {
        values.add(((ObjectRef<?>) ref).get(Callee.WAIT));
      }
      equal(values.toString(), "[5, 7]");
      Peer.ask(recorder, "keep", Object.class, List.of(Sabir.put(40), Sabir.put(2)));
      equal(Peer.ask(recorder, "total", Integer.class), 42);
    }
  }
}
