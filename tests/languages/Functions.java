package across;

import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.CppActorClass;
import org.sabir.CppFunction;
import org.sabir.JavaActorClass;
import org.sabir.JavaFunction;
import org.sabir.NamedActorClass;
import org.sabir.NamedFunction;
import org.sabir.PyActorClass;
import org.sabir.PyFunction;
import org.sabir.Sabir;

/** What the programs here have called in Java; functions.cc and functions.py have the same. */
public final class Functions {
  static final ActorMethod<Integer> ADD = ActorMethod.of("add", Integer.class);

  private Functions() {}

  /** An actor. */
  static final class Counter {
    private int count;

    Counter(int start) {
      this.count = start;
    }

    int add(int by) {
      count += by;
      return count;
    }
  }

  static int add_to(ActorHandle<?> counter, int by) {
    return counter.task(ADD, by).remote().get();
  }

  static int add_to_named(String name, int by) {
    return add_to(Sabir.getActor(name).orElseThrow(), by);
  }

  static Object same(Object value) {
    return value;
  }

  /** Has the rest of the chain called in its first language; the last one throws. */
  static Object chain(List<String> languages) {
    if (languages.isEmpty()) {
      throw new IllegalStateException("the end of the chain");
    }
    NamedFunction<Object> next = functionIn(languages.get(0), "chain", Object.class);
    return Sabir.task(next, languages.subList(1, languages.size())).remote().get();
  }

  static <R> NamedFunction<R> functionIn(String language, String name, Class<R> type) {
    return switch (language) {
      case "python" -> PyFunction.of("functions", name, type);
      case "cpp" -> CppFunction.of(name, type);
      default -> JavaFunction.of("across.Functions", name, type);
    };
  }

  static NamedActorClass counterIn(String language) {
    return switch (language) {
      case "python" -> PyActorClass.of("functions", "Counter");
      case "cpp" -> CppActorClass.of("Counter::create");
      default -> JavaActorClass.of("across.Functions$Counter");
    };
  }
}
