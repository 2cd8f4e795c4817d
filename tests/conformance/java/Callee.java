package conformance;

import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.CppFunction;
import org.sabir.JavaFunction;
import org.sabir.NamedFunction;
import org.sabir.ObjectRef;
import org.sabir.PyFunction;
import org.sabir.Sabir;
import org.sabir.Tensor;

/**
 * What is called, in Java: the same functions as python/conformance_callee.py and cpp/callee.cc have; the actor is
 * Recorder. What they do is said in ../scenarios.py, for all three.
 */
public final class Callee {
  static final Duration WAIT = Duration.ofSeconds(60);

  private Callee() {}

  /** A function of this suite, in any language. */
  static <R> NamedFunction<R> function(String language, String name, Class<R> type) {
    switch (language) {
      case "python":
        return PyFunction.of("conformance_callee", name, type);
      case "cpp":
        return CppFunction.of(name, type);
      default:
        return JavaFunction.of("conformance.Callee", name, type);
    }
  }

  public static String describe(Object value) {
    return Described.text(value);
  }

  public static Object echo(Object value) {
    return value;
  }

  public static Object make(String name) {
    return Samples.make(name);
  }

  public static int add(int a, int b) {
    return a + b;
  }

  public static String join(
      Object a, Object b, Object c, Object d, Object e, Object f, Object g, Object h, Object i, Object j) {
    return Described.text(java.util.Arrays.asList(a, b, c, d, e, f, g, h, i, j));
  }

  public static void nothing() {}

  public static List<Object> pair(Object a, Object b) {
    return List.of(b, a);
  }

  public static double total(Tensor tensor) {
    FloatBuffer numbers = tensor.buffer().asFloatBuffer();
    double sum = 0;
    while (numbers.hasRemaining()) {
      sum += numbers.get();
    }
    return sum;
  }

  public static List<ObjectRef<Object>> store(Object value) {
    return List.of(Sabir.put(value));
  }

  public static List<ObjectRef<Integer>> later(int milliseconds) {
    return List.of(Sabir.task(Callee::sleep, milliseconds).remote());
  }

  public static int gather(List<ObjectRef<Integer>> refs) {
    return Sabir.get(refs, WAIT).stream().mapToInt(Integer::intValue).sum();
  }

  public static String idof(List<ObjectRef<Object>> refs) {
    return refs.get(0).id();
  }

  public static void fail(String message) {
    throw new IllegalArgumentException(message);
  }

  public static void chain(String message) {
    try {
      fail(message);
    } catch (IllegalArgumentException error) {
      throw new IllegalStateException("around it", error);
    }
  }

  static final class Odd extends RuntimeException {
    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("this exception has no text");
    }
  }

  public static void odd() {
    throw new Odd();
  }

  public static int through(List<String> languages, String message) {
    if (languages.isEmpty()) {
      fail(message);
    }
    List<String> rest = languages.subList(1, languages.size());
    return Sabir.task(function(languages.get(0), "through", Integer.class), List.copyOf(rest), message)
        .remote()
        .get(WAIT);
  }

  public static int relay(String language, int a, int b) {
    return Sabir.task(function(language, "add", Integer.class), a, b).remote().get(WAIT);
  }

  public static int fibonacci(int n) {
    if (n < 2) {
      return n;
    }
    ObjectRef<Integer> one = Sabir.task(Callee::fibonacci, n - 1).remote();
    ObjectRef<Integer> two = Sabir.task(Callee::fibonacci, n - 2).remote();
    return one.get(WAIT) + two.get(WAIT);
  }

  public static int flaky(int attempts) {
    int attempt = Sabir.context().attempt();
    if (attempt < attempts) {
      throw new IllegalStateException("attempt " + attempt + " fails");
    }
    return attempt;
  }

  public static int mortal(int attempts) throws IOException, InterruptedException {
    int attempt = Sabir.context().attempt();
    if (attempt < attempts) {
      die("abort");
    }
    return attempt;
  }

  /** Java cannot break its own memory: the signals come from outside. */
  public static void die(String how) throws IOException, InterruptedException {
    if (how.equals("exit")) {
      Runtime.getRuntime().halt(7);
    }
    // The JVM writes a report about its own faults, which nobody wants: a kill leaves none.
    String signal = how.equals("segfault") ? "-SEGV" : "-KILL";
    new ProcessBuilder("kill", signal, Integer.toString(pid())).start().waitFor();
    Thread.sleep(WAIT.toMillis());
  }

  public static int sleep(int milliseconds) throws InterruptedException {
    Thread.sleep(milliseconds);
    return milliseconds;
  }

  public static int pid() {
    return (int) ProcessHandle.current().pid();
  }

  public static boolean meet(String folder, String name, int count, int milliseconds)
      throws IOException, InterruptedException {
    Path mine = Files.createFile(Path.of(folder, name));
    long deadline = System.nanoTime() + milliseconds * 1_000_000L;
    for (;;) {
      if (mine.getParent().toFile().list().length >= count) {
        return true;
      }
      if (System.nanoTime() > deadline) {
        Files.delete(mine);
        return false;
      }
      Thread.sleep(5);
    }
  }

  public static int nudge(ActorHandle<Object> handle, int amount) {
    return handle.task(ActorMethod.of("add", Integer.class), amount).remote().get(WAIT);
  }

  public static int nudge_all(List<ActorHandle<Object>> handles, int amount) {
    return handles.stream().mapToInt(handle -> nudge(handle, amount)).sum();
  }

  public static int nudge_named(String name, int amount) {
    ActorHandle<Object> handle =
        Sabir.<Object>getActor(name).orElseThrow(() -> new IllegalArgumentException("there is no actor " + name));
    return nudge(handle, amount);
  }

  record Own(int number) implements Serializable {}

  public static Object own() {
    return new Own(7);
  }
}
