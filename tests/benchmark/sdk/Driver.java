import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.sabir.*;

/**
 * A driver in Java under measurement: Driver CALLEE PYTHON CODE_PATH..., where CALLEE is python, java or cpp. It speaks
 * as driver.cc says.
 */
public final class Driver {
  private static final int SMALLER = 4; // as in workloads.py
  private static final int ACTORS = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private static String callee;

  private Driver() {}

  private record Workload(Runnable run, double operations, String unit) {
    Workload(Runnable run, double operations) {
      this(run, operations, "/s");
    }
  }

  private static String method(String name) {
    if (!callee.equals("java")) {
      return name;
    }
    StringBuilder made = new StringBuilder();
    for (String word : name.split("_")) {
      made.append(made.length() == 0 ? word : word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1));
    }
    return made.toString();
  }

  private static <R> NamedFunction<R> function(String name, Class<R> type) {
    return switch (callee) {
      case "python" -> PyFunction.of("callee", name, type);
      case "java" -> JavaFunction.of("Callee", method(name), type);
      default -> CppFunction.of(name, type);
    };
  }

  private static ActorHandle<Object> make(String name, Object... args) {
    NamedActorClass type = switch (callee) {
      case "python" -> PyActorClass.of("callee", name);
      case "java" -> JavaActorClass.of("Callee$" + name);
      default -> CppActorClass.of(name + "::create");
    };
    return Sabir.actor(type, args).numCpus(0).remote();
  }

  private static List<ActorHandle<Object>> actors(int count) {
    List<ActorHandle<Object>> made = new ArrayList<>();
    for (int i = 0; i < count; ++i) {
      made.add(make("Actor"));
    }
    return made;
  }

  /** Sends calls, and takes all results. */
  private static <R> void batch(int count, IntFunction<ObjectRef<R>> call) {
    List<ObjectRef<R>> refs = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) {
      refs.add(call.apply(i));
    }
    Sabir.get(refs);
  }

  private static void repeat(int count, Runnable call) {
    for (int i = 0; i < count; ++i) {
      call.run();
    }
  }

  private static Runnable taskBatch(int count) {
    NamedFunction<byte[]> task = function("small_value", byte[].class);
    return () -> batch(count, i -> Sabir.task(task).remote());
  }

  private static Runnable oneTask() {
    NamedFunction<byte[]> task = function("small_value", byte[].class);
    return () -> Sabir.task(task).remote().get();
  }

  private static Runnable oneActorCall() {
    ActorHandle<Object> actor = make("Actor");
    ActorMethod<byte[]> call = ActorMethod.of(method("small_value"), byte[].class);
    return () -> actor.task(call).remote().get();
  }

  private static Workload actorBatch() {
    ActorHandle<Object> actor = make("Actor");
    ActorMethod<byte[]> call = ActorMethod.of(method("small_value"), byte[].class);
    return new Workload(() -> batch(1000, i -> actor.task(call).remote()), 1000);
  }

  private static void wait1k() {
    NamedFunction<byte[]> task = function("small_value", byte[].class);
    List<ObjectRef<byte[]>> left = new ArrayList<>();
    repeat(1000, () -> left.add(Sabir.task(task).remote()));
    List<ObjectRef<byte[]>> rest = left;
    while (!rest.isEmpty()) {
      rest = Sabir.wait(rest).unready();
    }
  }

  private static Workload putGigabytes() {
    long[] zeros = new long[100 * 1024 * 1024 / SMALLER];
    return new Workload(() -> Sabir.put(zeros), zeros.length * 8 / 1e9, "GB/s");
  }

  private static Workload putArrays() {
    int size = 10 * 1024 * 1024 / SMALLER;
    NamedFunction<Object> task = function("put_arrays", Object.class);
    return new Workload(() -> batch(10, i -> Sabir.task(task, size).remote()), 100.0 * size * 8 / 1e9, "GB/s");
  }

  private static Workload batchesOfActors() {
    int n = 10_000 / SMALLER;
    List<ActorHandle<Object>> all = actors(4);
    ActorMethod<Object> call = ActorMethod.of(method("small_value_batch"));
    return new Workload(() -> batch(4, i -> all.get(i).task(call, n).remote()), 4.0 * n);
  }

  private static Workload oneToN() {
    int n = 5000 / SMALLER;
    ActorHandle<Object> client = make("Client", actors(ACTORS));
    ActorMethod<Object> call = ActorMethod.of(method("small_value_batch"));
    return new Workload(() -> client.task(call, n).remote().get(), (double) n * ACTORS);
  }

  private static Workload nToN() {
    int n = 5000 / SMALLER;
    List<ActorHandle<Object>> servers = actors(ACTORS);
    NamedFunction<Object> task = function("call_all", Object.class);
    return new Workload(() -> batch(4, i -> Sabir.task(task, servers, n).remote()), 4.0 * n);
  }

  private static Workload nToNWithArgument() {
    List<ActorHandle<Object>> clients = new ArrayList<>();
    for (ActorHandle<Object> server : actors(ACTORS)) {
          clients.add(make("Client", List.of(server)));
        }
        ActorMethod<Object> call = ActorMethod.of(method("small_value_batch_arg"));
        return new Workload(
            () -> batch(clients.size(), i -> clients.get(i).task(call, 1000).remote()), 1000.0 * clients.size());
    }

    private static Workload array(boolean byReference) {
      Tensor zeros = Tensor.of(new double[10_000_000]);
      NamedFunction<Double> task = function("first", Double.class);
      Object argument = byReference ? Sabir.put(zeros) : zeros;
      return new Workload(() -> Sabir.task(task, argument).remote().get(), 1);
    }

    private static Map<String, Supplier<Workload>> workloads() {
      Map<String, Supplier<Workload>> all = new LinkedHashMap<>();
      all.put("single client get calls (Plasma Store)", () -> {
        ObjectRef<Integer> ref = Sabir.put(0);
        return new Workload(() -> repeat(100, ref::get), 100);
      });
      all.put("single client put calls (Plasma Store)", () -> new Workload(() -> repeat(100, () -> Sabir.put(0)), 100));
      all.put("single client put and get of a small value",
          () -> new Workload(() -> repeat(100, () -> Sabir.put(0).get()), 100));
      all.put("multi client put calls (Plasma Store)", () -> {
        NamedFunction<Object> task = function("put_small", Object.class);
        return new Workload(() -> batch(10, i -> Sabir.task(task).remote()), 1000);
      });
      all.put("single client put gigabytes", Driver::putGigabytes);
      all.put("multi client put gigabytes", Driver::putArrays);
      all.put("single client tasks and get batch", () -> new Workload(taskBatch(1000), 1, " batches/s"));
      all.put("single client get object containing 10k refs", () -> {
        ObjectRef<Object> ref = Sabir.task(function("make_refs", Object.class), 10_000).remote();
        return new Workload(ref::get, 1);
      });
      all.put("single client wait 1k refs", () -> new Workload(Driver::wait1k, 1));
      all.put("single client tasks sync", () -> {
        Runnable call = oneTask();
        return new Workload(() -> repeat(20, call), 20);
      });
      all.put("single client tasks async", () -> new Workload(taskBatch(1000), 1000));
      all.put("multi client tasks async", Driver::batchesOfActors);
      all.put("1:1 actor calls sync", () -> {
        Runnable call = oneActorCall();
        return new Workload(() -> repeat(20, call), 20);
      });
      all.put("1:1 actor calls async", Driver::actorBatch);
      all.put("1:n actor calls async", Driver::oneToN);
      all.put("n:n actor calls async", Driver::nToN);
      all.put("n:n actor calls with arg async", Driver::nToNWithArgument);
      all.put("an 80 MB array as argument", () -> array(false));
      all.put("an 80 MB array by reference", () -> array(true));
      all.put("tasks with a small list each way async", () -> {
        NamedFunction<Object> task = function("identity", Object.class);
        return new Workload(() -> batch(1000, i -> Sabir.task(task, List.of(1, 2)).remote()), 1000);
      });
      return all;
    }

    private static String round(Workload work, double seconds) {
      long began = System.nanoTime();
      int count = 0;
      while (System.nanoTime() - began < seconds * 1e9) {
        work.run.run();
        ++count;
      }
      return "{\"rate\": " + count * work.operations / ((System.nanoTime() - began) / 1e9) + "}";
    }

    private static String latency(Runnable call, int count) {
      repeat(Math.min(count, 5000), call); // the compiler of the JVM has seen it by then
      long[] times = new long[count];
      for (int i = 0; i < count; ++i) {
        long began = System.nanoTime();
        call.run();
        times[i] = System.nanoTime() - began;
      }
      Arrays.sort(times);
      return "{\"p50_us\": " + times[count / 2] / 1e3 + ", \"p99_us\": " + times[count * 99 / 100] / 1e3 + "}";
    }

    private static String pids(List<ActorHandle<Object>> actors) {
      List<Object> found = new ArrayList<>();
      for (ActorHandle<Object> actor : actors) {
        found.add(actor.task(ActorMethod.of("pid")).remote().get());
      }
      return "{\"pids\": " + found + "}";
    }

    private static void serve() throws IOException {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      Map<String, Supplier<Workload>> all = workloads();
      Workload work = null;
      List<ActorHandle<Object>> held = List.of();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.split(" ");
        String answer = "{}";
        switch (words[0]) {
        case "open" -> {
          Supplier<Workload> found = all.get(line.substring(5));
          if (found == null) {
            answer = "{\"unsupported\": true}";
          } else {
            work = found.get();
            work.run.run();
            answer = "{\"unit\": \"" + work.unit + "\"}";
          }
        }
        case "round" -> answer = round(work, Double.parseDouble(words[1]));
        case "latency" ->
          answer = latency(words[1].equals("actor") ? oneActorCall() : oneTask(), Integer.parseInt(words[2]));
        case "pids" -> {
          held = actors(Integer.parseInt(words[1]));
          answer = pids(held);
        }
        default -> {
          work = null;
          held = List.of();
        }
      }
      System.out.println(answer);
    }
  }

  public static void main(String[] args) throws IOException {
    callee = args[0];
    SabirOptions.Builder options =
        SabirOptions.builder().address("local").logToDriver(false).codeSearchPath(
            Arrays.copyOfRange(args, 2, args.length));
    if (callee.equals("python")) {
      options.python(args[1]);
    }
    try (Session session = Sabir.init(options.build())) {
      System.out.println("{\"ready\": true}");
      serve();
    }
  }
}
