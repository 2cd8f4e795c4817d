package conformance;

import static conformance.Checks.contains;
import static conformance.Checks.equal;
import static conformance.Checks.error;
import static conformance.Checks.everything;
import static conformance.Checks.until;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sabir.ActorHandle;
import org.sabir.ActorOptions;
import org.sabir.ErrorKind;
import org.sabir.NameTakenException;
import org.sabir.Sabir;

/** Names of actors. */
final class NameChecks {
  private NameChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("name-lookup", pair -> {
      ActorHandle<Object> kept = named(pair.callee(), 1, "lookup");
      equal(Peer.add(Sabir.<Object>getActor("lookup").orElseThrow(), 1), 2);
      kept.kill();
    });
    checks.put("name-in-callee", pair -> {
      ActorHandle<Object> kept = named(pair.callee(), 1, "in-callee");
      equal(pair.callee().number("nudge_named", "in-callee", 1), 2);
      kept.kill();
    });
    checks.put("name-of-caller", pair -> {
      ActorHandle<Object> kept = named(pair.own(), 1, "of-caller");
      equal(pair.callee().number("nudge_named", "of-caller", 1), 2);
      kept.kill();
    });
    checks.put("name-taken", pair -> {
      ActorHandle<Object> kept = named(pair.callee(), 1, "taken");
      error(ErrorKind.ALREADY_EXISTS, () -> named(pair.callee(), 1, "taken"));
      equal(Peer.add(kept, 1), 2);
      kept.kill();
    });
    checks.put("name-get-if-exists", pair -> {
      ActorOptions options = ActorOptions.builder().name("either").getIfExists(true).build();
      ActorHandle<Object> first = pair.callee().actor(1).options(options).remote();
      equal(Peer.add(first, 1), 2);
      equal(Peer.add(pair.callee().actor(1).options(options).remote(), 1), 3);
      first.kill();
    });
    checks.put("name-unknown", pair -> {
      equal(Sabir.getActor("nobody"), Optional.empty());
      contains(everything(error(null, () -> pair.callee().number("nudge_named", "nobody", 1))), "nobody");
    });
    checks.put("name-free-again", NameChecks::freeAgain);
  }

  private static ActorHandle<Object> named(Peer peer, int start, String name) {
    return peer.actor(start).name(name).remote();
  }

  private static void freeAgain(Pair pair) throws Exception {
    ActorHandle<Object> first = named(pair.callee(), 1, "again");
    Peer.add(first, 1);
    first.kill();
    List<ActorHandle<Object>> second = new ArrayList<>();
    until(() -> {
      try {
        return second.add(named(pair.callee(), 100, "again"));
      } catch (NameTakenException notYet) {
        return false;
      }
    }, "a name that is free again");
    equal(Peer.add(second.get(0), 1), 101);
    second.get(0).kill();
  }
}
