package conformance;

import static conformance.Checks.equal;
import static conformance.Checks.error;
import static conformance.Checks.require;
import static conformance.Checks.until;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.ErrorKind;
import org.sabir.Sabir;

/** Actors and their handles. */
final class ActorChecks {
  private static final ActorMethod<Integer> ADD = ActorMethod.of("add", Integer.class);

  private ActorChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("actor-state", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(10);
      for (int i = 11; i <= 13; ++i) {
        equal(Peer.add(recorder, 1), i);
      }
      equal(history(recorder), List.of(1L, 1L, 1L));
    });
    checks.put("actor-order", ActorChecks::order);
    checks.put("actor-order-pending", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      recorder.task(ADD, pair.callee().task("sleep", Integer.class, 200).remote()).remote();
      recorder.task(ADD, 1).remote();
      equal(history(recorder), List.of(200L, 1L));
    });
    checks.put("actor-two", pair -> {
      ActorHandle<Object> one = pair.callee().recorder(1);
      ActorHandle<Object> two = pair.callee().recorder(100);
      equal(List.of(Peer.add(one, 1), Peer.add(two, 1), Peer.add(one, 1)), List.of(2, 101, 3));
    });
    checks.put("actor-process", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      int pid = Peer.ask(recorder, "pid", Integer.class);
      require(pid != ProcessHandle.current().pid() && ProcessHandle.of(pid).isPresent(), pid);
      equal(Peer.ask(recorder, "pid", Integer.class), pid);
    });
    checks.put("actor-threads", ActorChecks::threads);
    checks.put("actor-keeps-references", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      Peer.ask(recorder, "keep", Object.class, List.of(Sabir.put(1), Sabir.put(2), Sabir.put(3)));
      equal(Peer.ask(recorder, "total", Integer.class), 6);
      equal(Peer.ask(recorder, "total", Integer.class), 6);
    });
    checks.put("handle-argument", pair -> nudged(pair.callee(), pair.callee()));
    checks.put("handle-in-list", pair -> {
      List<ActorHandle<Object>> recorders = List.of(pair.callee().recorder(1), pair.callee().recorder(2));
      equal(pair.callee().number("nudge_all", recorders, 10), 23);
      equal(pair.callee().call("describe", String.class, Map.of("h", recorders)), "{\"h\": [actor, actor]}");
    });
    checks.put("handle-to-caller", pair -> nudged(pair.own(), pair.callee()));
    checks.put("handle-of-caller", pair -> nudged(pair.callee(), pair.own()));
    checks.put("handle-to-actor", pair -> {
      ActorHandle<Object> first = pair.callee().recorder(0);
      ActorHandle<Object> second = pair.callee().recorder(1);
      Peer.ask(first, "befriend", Object.class, List.of(second, pair.own().recorder(2)));
      equal(Peer.ask(first, "forward", Integer.class, 10), 23);
      equal(history(second), List.of(10L));
    });
    checks.put("handle-returned", ActorChecks::returned);
    checks.put("actor-missing-method", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      var error = error(ErrorKind.NOT_FOUND, () -> Peer.ask(recorder, "no_such_method", Integer.class, 1));
      Checks.contains(Checks.everything(error), "no_such_method");
      equal(Peer.add(recorder, 1), 1);
    });
    checks.put("actor-detached", ActorChecks::detached);
    checks.put("actor-ends", pair -> {
      int pid = Peer.ask(pair.callee().actor(1).name("ends").remote(), "pid", Integer.class);
      // Not by its name: a look-up makes a handle.
      until(() -> gone(pid), "the end of an actor without handles");
      until(() -> unknown("ends"), "the end of its name");
    });
    checks.put("actor-leaves", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(0);
      Peer.add(recorder, 1);
      error(ErrorKind.ACTOR_DIED, () -> Peer.ask(recorder, "leave", Object.class));
      error(ErrorKind.ACTOR_DIED, () -> Peer.add(recorder, 1));
    });
  }

  private static List<?> history(ActorHandle<Object> recorder) {
    return Peer.ask(recorder, "history", List.class);
  }

  private static void order(Pair pair) {
    ActorHandle<Object> recorder = pair.callee().recorder(0);
    List<Long> wanted = new ArrayList<>();
    for (int i = 0; i < 100; ++i) {
      recorder.task(ADD, i).remote();
      wanted.add((long) i);
    }
    equal(history(recorder), wanted);
  }

  private static void threads(Pair pair) throws Exception {
    ActorHandle<Object> recorder = pair.callee().recorder(0);
    List<Thread> started = new ArrayList<>();
    for (int i = 1; i <= 4; ++i) {
      int amount = i;
      Thread thread = new Thread(() -> {
        for (int j = 0; j < 25; ++j) {
          Peer.add(recorder, amount);
        }
      });
      thread.start();
      started.add(thread);
    }
    for (Thread thread : started) {
      thread.join(Callee.WAIT.toMillis());
    }
    List<?> history = history(recorder);
    for (long amount = 1; amount <= 4; ++amount) {
      equal(Collections.frequency(history, amount), 25);
    }
  }

  private static void nudged(Peer by, Peer whose) {
    ActorHandle<Object> recorder = whose.recorder(1);
    equal(by.number("nudge", recorder, 10), 11);
    equal(Peer.add(recorder, 1), 12);
  }

  @SuppressWarnings("unchecked")
  private static void returned(Pair pair) {
    ActorHandle<Object> recorder = pair.callee().recorder(1);
    ActorHandle<Object> back = (ActorHandle<Object>) pair.callee().call("echo", List.class, List.of(recorder)).get(0);
    equal(Peer.add(back, 1), 2);
    equal(back.id(), recorder.id());
  }

  private static boolean gone(int pid) {
    System.gc(); // handles that nobody has are dropped
    return ProcessHandle.of(pid).isEmpty();
  }

  private static boolean unknown(String name) {
    System.gc(); // handles that nobody has are dropped
    return Sabir.getActor(name).isEmpty();
  }

  private static void detached(Pair pair) throws Exception {
    var options = org.sabir.ActorOptions.builder().name("detached").detached(true).build();
    equal(Peer.add(pair.callee().actor(1).options(options).remote(), 1), 2);
    System.gc();
    ActorHandle<Object> found = Sabir.<Object>getActor("detached").orElseThrow();
    equal(Peer.add(found, 1), 3);
    found.kill();
    until(() -> unknown("detached"), "the end of a detached actor that was killed");
  }
}
