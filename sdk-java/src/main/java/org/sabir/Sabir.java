package org.sabir;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sabir.internal.Converters;
import org.sabir.internal.Nodes;
import org.sabir.internal.ObjectOps;
import org.sabir.internal.Runtimes;

/**
 * The entry point: joins a session, runs methods as tasks, makes actors, stores objects.
 *
 * <pre>{@code
 * try (Session session = Sabir.init()) {
 *   ObjectRef<Integer> sum = Sabir.task(Math::addExact, 1, 2).remote();
 *   System.out.println(sum.get());
 * }
 * }</pre>
 *
 * All methods may be called by any thread, in a driver and inside of tasks and actors.
 */
public final class Sabir extends SabirCalls {
  private Sabir() {}

  /** Joins a running session of this user, or starts one on this machine. */
  public static Session init() {
    return init(SabirOptions.DEFAULT);
  }

  /** Joins or starts a session. NameTakenException if this process is in one already. */
  public static Session init(SabirOptions options) {
    return new Session(Runtimes.start(options));
  }

  /** Leaves the session: this job's tasks and actors end, and a session that init() started stops. Idempotent. */
  public static void shutdown() {
    Runtimes.stop();
  }

  /** True between init() and shutdown(), and inside of tasks and actors. */
  public static boolean isInitialized() {
    return Runtimes.isStarted();
  }

  /** A call of a function that is known by its name: PyFunction, CppFunction, JavaFunction. */
  public static <R> TaskCall<R> task(NamedFunction<R> function, Object... args) {
    return TaskCall.of(function, args);
  }

  /** An actor of a class that is known by its name: PyActorClass, CppActorClass, JavaActorClass. */
  public static ActorCall<Object> actor(NamedActorClass type, Object... args) {
    return ActorCall.of(type, args);
  }

  /** Stores a copy of the value. Waits for room; ObjectStoreFullException if there is none in time. */
  public static <T> ObjectRef<T> put(T value) {
    return ObjectOps.put(value);
  }

  /** Waits for the value. */
  public static <T> T get(ObjectRef<T> ref) {
    return ref.get();
  }

  /** Waits for the value; GetTimeoutException if it is not there in time. */
  public static <T> T get(ObjectRef<T> ref, Duration timeout) {
    return ref.get(timeout);
  }

  /** Waits for all values, in order. Throws the first error. */
  public static <T> List<T> get(List<? extends ObjectRef<? extends T>> refs) {
    return ObjectOps.getAll(refs, null);
  }

  /** Waits for all values, in order; GetTimeoutException if they are not there in time. */
  public static <T> List<T> get(List<? extends ObjectRef<? extends T>> refs, Duration timeout) {
    return ObjectOps.getAll(refs, timeout);
  }

  /** Waits for one of the references to have a value or an error. */
  public static <T> WaitResult<T> wait(List<ObjectRef<T>> refs) {
    return wait(refs, 1, null);
  }

  /**
   * Waits until so many of the references have a value or an error, or the time is over.
   *
   * @param timeout null: as long as it takes
   */
  public static <T> WaitResult<T> wait(List<ObjectRef<T>> refs, int numReady, Duration timeout) {
    boolean[] ready = ObjectOps.waitFor(refs, numReady, timeout);
    List<ObjectRef<T>> found = new ArrayList<>();
    List<ObjectRef<T>> rest = new ArrayList<>();
    for (int i = 0; i < ready.length; ++i) {
      (ready[i] ? found : rest).add(refs.get(i));
    }
    return new WaitResult<>(found, rest);
  }

  /** A named actor of this job's namespace, or nothing. Use the type of its class; Object for other languages'. */
  public static <A> Optional<ActorHandle<A>> getActor(String name) {
    return getActor(name, "");
  }

  /** A named actor of any namespace, or nothing. */
  public static <A> Optional<ActorHandle<A>> getActor(String name, String namespace) {
    return ObjectOps.lookup(name, namespace);
  }

  /**
   * Ends the actor that calls it, for good; does not return. Its calls, the running one too, fail with
   * ActorDiedException.
   */
  public static void exitActor() {
    Runtimes.exitActor();
  }

  /** Who and where this program is. */
  public static RuntimeContext context() {
    return Runtimes.context();
  }

  /** How values of a type travel; see {@link Converter}. */
  public static <T> void registerConverter(Class<T> type, Converter<T> converter) {
    Converters.register(type, converter);
  }

  /** The state of the session as JSON: docs/status.md has its fields. */
  public static String status() {
    return Runtimes.current().status();
  }

  /** The session's nodes. */
  public static List<Node> nodes() {
    return Nodes.of(status());
  }

  /** The resources of all nodes together. */
  public static Map<String, Double> clusterResources() {
    return Nodes.sum(nodes(), Node::resources);
  }

  /** What no running task and no living actor holds. */
  public static Map<String, Double> availableResources() {
    return Nodes.sum(nodes(), Node::available);
  }
}
