package conformance;

import org.sabir.ActorCall;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.CppActorClass;
import org.sabir.JavaActorClass;
import org.sabir.NamedActorClass;
import org.sabir.PyActorClass;
import org.sabir.Sabir;
import org.sabir.TaskCall;

/** A language as this program calls it: its functions and its actor, by name. */
record Peer(String language) {
  <R> TaskCall<R> task(String name, Class<R> type, Object... args) {
    return Sabir.task(Callee.function(language, name, type), args);
  }

  <R> R call(String name, Class<R> type, Object... args) {
    return task(name, type, args).remote().get(Callee.WAIT);
  }

  int number(String name, Object... args) {
    return call(name, Integer.class, args);
  }

  void run(String name, Object... args) {
    call(name, Object.class, args);
  }

  ActorCall<Object> actor(int start) {
    return Sabir.actor(recorderClass("Recorder"), start);
  }

  ActorHandle<Object> recorder(int start) {
    return actor(start).remote();
  }

  NamedActorClass recorderClass(String name) {
    switch (language) {
      case "python":
        return PyActorClass.of("conformance_callee", name);
      case "cpp":
        return CppActorClass.of(name + "::create");
      default:
        return JavaActorClass.of("conformance." + name);
    }
  }

  /** One method of an actor, waited for. */
  static <R> R ask(ActorHandle<Object> actor, String method, Class<R> type, Object... args) {
    return actor.task(ActorMethod.of(method, type), args).remote().get(Callee.WAIT);
  }

  static int add(ActorHandle<Object> actor, int amount) {
    return ask(actor, "add", Integer.class, amount);
  }
}
