package conformance;

import static conformance.Checks.contains;
import static conformance.Checks.equal;
import static conformance.Checks.error;
import static conformance.Checks.everything;
import static conformance.Checks.require;
import static conformance.Checks.taskError;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sabir.ActorHandle;
import org.sabir.ErrorKind;
import org.sabir.Language;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.TaskException;

/** Errors of users' code, of calls, and of values in a language's own form. */
final class ErrorChecks {
  private static final Map<String, String> TYPES = Map.of(
      "python", "builtins.ValueError", "cpp", "std::invalid_argument", "java", "java.lang.IllegalArgumentException");
  private static final Map<String, Language> LANGUAGES =
      Map.of("python", Language.PYTHON, "cpp", Language.CPP, "java", Language.JAVA);
  private static final Map<String, String> NAMES = Map.of("python", "python", "cpp", "c++", "java", "java");

  private ErrorChecks() {}

  static void add(Map<String, Checks.Check> checks) {
    checks.put("error-fields", ErrorChecks::fields);
    checks.put("error-unicode", pair -> messageArrives(pair, "\u20ac\ud83d\udc0d"));
    checks.put("error-long", pair -> messageArrives(pair, "x".repeat(30_000)));
    checks.put("error-cause", pair -> {
      TaskException error = taskError(() -> pair.callee().run("chain", "the inner one"));
      contains(error.remoteMessage(), "around it");
      contains(everything(error), "the inner one");
    });
    checks.put("error-odd", pair -> {
      TaskException error = taskError(() -> pair.callee().run("odd"));
      require(error.remoteType().endsWith("Odd"), error.remoteType());
      equal(pair.callee().number("add", 1, 1), 2);
    });
    checks.put("error-through-caller", pair -> passes(pair.own(), pair.callee().language()));
    checks.put("error-through-callee", pair -> passes(pair.callee(), pair.own().language()));
    checks.put("error-through-three", pair -> {
      List<String> others = new ArrayList<>(List.of("python", "cpp", "java"));
      others.remove(pair.callee().language());
      passes(pair.callee(), others.toArray(new String[0]));
    });
    checks.put("error-missing-function", ErrorChecks::missingFunction);
    checks.put("error-missing-class", pair -> {
      SabirException error =
          error(null, () -> Peer.add(Sabir.actor(pair.callee().recorderClass("NoSuchClass"), 1).remote(), 1));
      contains(everything(error), "NoSuchClass");
    });
    checks.put("error-too-many-arguments",
        pair -> misfit(() -> pair.callee().number("add", 1, 2, 3), ErrorKind.INVALID_ARGUMENT));
    checks.put(
        "error-wrong-type", pair -> misfit(() -> pair.callee().number("add", List.of(1), Map.of()), ofWrongType(pair)));
    checks.put("error-constructor", pair -> {
      ActorHandle<Object> recorder = pair.callee().recorder(-1);
      contains(everything(error(ErrorKind.ACTOR_DIED, () -> Peer.add(recorder, 1))), "below zero");
    });
    checks.put("error-method", ErrorChecks::inMethod);
    checks.put("error-then-success", pair -> {
      for (int i = 0; i < 3; ++i) {
        taskError(() -> pair.callee().run("through", List.of(), "again"));
      }
      equal(pair.callee().number("add", 2, 2), 4);
    });
    checks.put("error-nested-65", pair -> {
      List<Object> deep = List.of();
      for (int i = 0; i < 64; ++i) {
        deep = List.of(deep);
      }
      List<Object> sent = deep;
      contains(error(ErrorKind.INVALID_ARGUMENT, () -> pair.callee().run("echo", sent)).getMessage(), "64");
    });
    checks.put("error-no-unicode",
        pair -> error(ErrorKind.INVALID_ARGUMENT, () -> pair.callee().run("echo", List.of("half \ud83d"))));
    checks.put("own-form-result", pair -> {
      SabirException error = error(ErrorKind.INVALID_ARGUMENT, () -> pair.callee().run("own"));
      contains(everything(error).toLowerCase(java.util.Locale.ROOT), NAMES.get(pair.callee().language()));
    });
    checks.put("own-form-argument", pair -> {
      SabirException error =
          error(ErrorKind.INVALID_ARGUMENT, () -> pair.callee().run("echo", List.of(0, new Callee.Own(7))));
      contains(error.getMessage(), "Callee$Own");
      contains(error.getMessage(), "[1]");
    });
    checks.put("own-form-reference", pair -> {
      var stored = Sabir.put(new Callee.Own(7));
      SabirException error = error(ErrorKind.INVALID_ARGUMENT, () -> pair.callee().run("echo", stored));
      contains(error.getMessage(), "Callee$Own");
      contains(error.getMessage(), "only Java");
    });
    checks.put("own-form-at-home",
        pair
        -> equal(pair.callee().call("echo", Object.class, pair.callee().call("own", Object.class)), new Callee.Own(7)));
  }

  private static String inStack(String language, String function) {
    return language.equals("java") ? "at conformance.Callee." + function + "(" : "in " + function + "\n";
  }

  private static void fields(Pair pair) throws Exception {
    String language = pair.callee().language();
    TaskException error = taskError(() -> pair.callee().run("fail", "on purpose"));
    equal(error.remoteType(), TYPES.get(language));
    equal(error.language(), LANGUAGES.get(language));
    contains(error.remoteMessage(), "on purpose");
    contains(error.remoteStack(), inStack(language, "fail"));
  }

  private static void messageArrives(Pair pair, String message) throws Exception {
    contains(taskError(() -> pair.callee().run("fail", message)).remoteMessage(), message);
  }

  /** An error that arises in the last of the languages has a stack of each of them. */
  private static void passes(Peer first, String... rest) throws Exception {
    String text = everything(taskError(() -> first.run("through", List.of(rest), "deep down")));
    contains(text, "deep down");
    contains(text, inStack(first.language(), "through"));
    for (String language : rest) {
      contains(text, inStack(language, "through"));
    }
  }

  private static void missingFunction(Pair pair) throws Exception {
    SabirException error = error(ErrorKind.NOT_FOUND, () -> pair.callee().run("no_such_function", 1));
    contains(error.getMessage(), "no_such_function");
    Map<String, String> places =
        Map.of("python", "conformance_callee", "cpp", "libconformance_callee.so", "java", "conformance.Callee");
    contains(error.getMessage(), places.get(pair.callee().language()));
  }

  private static void misfit(Checks.Action call, ErrorKind kind) throws Exception {
    contains(error(kind, call).getMessage(), "add");
  }

  /** Python's parameters have no types: its function meets the argument. */
  private static ErrorKind ofWrongType(Pair pair) {
    return pair.callee().language().equals("python") ? ErrorKind.TASK_FAILED : ErrorKind.INVALID_ARGUMENT;
  }

  private static void inMethod(Pair pair) throws Exception {
    ActorHandle<Object> recorder = pair.callee().recorder(5);
    TaskException error = taskError(() -> Peer.ask(recorder, "fail", Object.class, "a method's"));
    contains(error.remoteMessage(), "a method's");
    equal(error.remoteType(), TYPES.get(pair.callee().language()));
    equal(Peer.add(recorder, 1), 6);
  }
}
