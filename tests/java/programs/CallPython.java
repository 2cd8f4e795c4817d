import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.Language;
import org.sabir.ObjectRef;
import org.sabir.PyActorClass;
import org.sabir.PyFunction;
import org.sabir.Sabir;
import org.sabir.SabirException;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.TaskException;
import org.sabir.Tensor;

/** A Java driver with workers of Python: CallPython INTERPRETER FOLDER_OF_MODULES SESSION_ROOT. */
public final class CallPython {
  /** An actor that Python calls. */
  public static final class Counter {
    private int count;

    public Counter(int start) {
      this.count = start;
    }

    public int add(int by) {
      count += by;
      return count;
    }
  }

  private static void check(Object expected, Object found) {
    if (expected == null ? found != null : !expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }

  /** A task of Java that calls one of Python. */
  public static int throughJava(String text) {
    return Sabir.task(PyFunction.of("functions", "fail", Integer.class), text).remote().get();
  }

  public static void main(String[] args) {
    SabirOptions options = SabirOptions.builder()
                               .address("local")
                               .numCpus(2)
                               .python(args[0])
                               .codeSearchPath(args[1])
                               .sessionRoot(args[2])
                               .build();
    try (Session session = Sabir.init(options)) {
      functions();
      values();
      errors();
      actors();
    }
    System.out.println("all done");
  }

  private static void functions() {
    PyFunction<Integer> add = PyFunction.of("functions", "add", Integer.class);
    ObjectRef<Integer> three = Sabir.task(add, 1, 2).remote();
    check(3, three.get());
    check(14, Sabir.task(add, three, 4).keyword("scale", 2).remote().get());
    check(8, Sabir.task(PyFunction.of("operator", "mul", Integer.class), 2, 4).remote().get());
  }

  private static void values() {
    PyFunction<Object> echo = PyFunction.of("functions", "echo");
    List<Object> samples = Arrays.asList(null, true, 1L, -5_000_000_000L, BigInteger.ONE.shiftLeft(70), 1.5,
        "h\u00e4\u20ac", List.of(1L, List.of("x")), Map.of("key", List.of(1L)),
        Instant.ofEpochSecond(1_600_000_000, 123_000).atOffset(java.time.ZoneOffset.ofHours(2)));
    for (Object sample : samples) {
      check(sample, Sabir.task(echo, sample).remote().get());
    }
    check(List.of(samples.get(2), samples), Sabir.task(echo, List.of(1, samples)).remote().get());
    check("bytes", Sabir.task(PyFunction.of("functions", "kind"), new byte[] {1}).remote().get());
    check("int", Sabir.task(PyFunction.of("functions", "kind"), (short) 3).remote().get());
    check("dict", Sabir.task(PyFunction.of("functions", "kind"), Map.of()).remote().get());
    List<?> many = (List<?>) Sabir.task(PyFunction.of("functions", "many")).remote().get();
    check(Arrays.asList(1L, "two", 3.0, null, true), many.subList(0, 5));
    check(BigInteger.ONE.shiftLeft(70), many.get(6));
    check(Map.of("z", List.of(7L), 8L, List.of(9L)), many.get(7));
    check(Instant.parse("2020-01-01T00:00:00Z"), ((java.time.OffsetDateTime) many.get(8)).toInstant());
    double[] array = new double[1 << 17];
    Arrays.fill(array, 0.5);
    check(65536.0, Sabir.task(PyFunction.of("functions", "total", Double.class), Tensor.of(array)).remote().get());
    Tensor matrix = Tensor.of(new int[] {1, 2, 3, 4, 5, 6}, 2, 3);
    Tensor back = (Tensor) Sabir.task(echo, matrix).remote().get();
    check(matrix, back);
    check(Map.of("t", matrix), Sabir.task(echo, Map.of("t", matrix)).remote().get());
  }

  private static void errors() {
    TaskException error = thrown(() -> Sabir.task(PyFunction.of("functions", "fail"), "x").remote().get());
    check("builtins.RuntimeError", error.remoteType());
    check(Language.PYTHON, error.language());
    contains(error.remoteStack(), "ValueError: invalid literal for int()");
    TaskException outer = thrown(() -> Sabir.task(CallPython::throughJava, "x").remote().get());
    check("org.sabir.TaskException", outer.remoteType());
    contains(outer.remoteStack(), "CallPython.throughJava");
    contains(outer.remoteStack(), "RuntimeError: cannot count x");
    check("builtins.RuntimeError", ((TaskException) outer.getCause()).remoteType());
    contains(message(() -> Sabir.task(PyFunction.of("functions", "absent")).remote().get()), "absent");
    contains(message(() -> Sabir.task(PyFunction.of("no_such_module", "f")).remote().get()), "no_such_module");
    contains(message(() -> Sabir.task(PyFunction.of("functions", "pickled")).remote().get()), "only Python reads");
    PyFunction<Object> echo = PyFunction.of("functions", "echo");
    check("NEW", Sabir.task(echo, Thread.State.NEW).remote().get());
    contains(message(() -> Sabir.task(echo, List.of(1, java.net.URI.create("a:b"))).remote().get()), "java.net.URI");
  }

  private static void actors() {
    ActorHandle<Object> counter = Sabir.actor(PyActorClass.of("functions", "Counter"), 10).name("py").remote();
    ActorMethod<Integer> add = ActorMethod.of("add", Integer.class);
    check(11, counter.task(add, 1).remote().get());
    check(Language.PYTHON, counter.language());
    check(13, Sabir.getActor("py").orElseThrow().task(add, 2).remote().get());
    // References and handles inside of containers; Python calls the actor of Java.
    ActorHandle<Counter> own = Sabir.actor(Counter::new, 100).remote();
    check(42 + 101,
        Sabir.task(PyFunction.of("functions", "follow", Integer.class), Map.of("ref", Sabir.put(42), "counter", own))
            .remote()
            .get());
    check(102, own.task(Counter::add, 1).remote().get());
  }

  private static TaskException thrown(Runnable code) {
    try {
      code.run();
    } catch (TaskException expected) {
      return expected;
    }
    throw new AssertionError("nothing was thrown");
  }

  private static String message(Runnable code) {
    try {
      code.run();
    } catch (SabirException expected) {
      return expected.getMessage();
    }
    throw new AssertionError("nothing was thrown");
  }

  private static void contains(String text, String part) {
    if (!text.contains(part)) {
      throw new AssertionError("no " + part + " in " + text);
    }
  }
}
