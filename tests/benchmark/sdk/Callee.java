import java.util.ArrayList;
import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.Tensor;

/** What the benchmark drivers call in Java. */
public final class Callee {
  private Callee() {}

  public static byte[] smallValue() {
    return new byte[] {'o', 'k'};
  }

  public static void putSmall() {
    for (int i = 0; i < 100; ++i) {
      Sabir.put(0);
    }
  }

  public static void putArrays(int size) {
    for (int i = 0; i < 10; ++i) {
      Sabir.put(new long[size]);
    }
  }

  public static List<ObjectRef<Integer>> makeRefs(int count) {
    List<ObjectRef<Integer>> refs = new ArrayList<>(count);
    for (int i = 0; i < count; ++i) {
      refs.add(Sabir.put(1));
    }
    return refs;
  }

  public static double first(Tensor array) {
    return array.getDouble(0);
  }

  public static Object identity(Object value) {
    return value;
  }

  public static void callAll(List<ActorHandle<Actor>> servers, int n) {
    List<ObjectRef<byte[]>> refs = new ArrayList<>(n);
    for (int i = 0; i < n; ++i) {
      refs.add(servers.get(i % servers.size()).task(Actor::smallValue).remote());
    }
    Sabir.get(refs);
  }

  /** A server. */
  public static class Actor {
    public byte[] smallValue() {
      return new byte[] {'o', 'k'};
    }

    public byte[] smallValueArg(int x) {
      return new byte[] {'o', 'k'};
    }

    public void smallValueBatch(int n) {
      List<ObjectRef<byte[]>> refs = new ArrayList<>(n);
      for (int i = 0; i < n; ++i) {
        refs.add(Sabir.task(Callee::smallValue).remote());
      }
      Sabir.get(refs);
    }

    public long pid() {
      return ProcessHandle.current().pid();
    }
  }

  /** What calls servers. */
  public static class Client {
    private final List<ActorHandle<Actor>> servers;

    public Client(List<ActorHandle<Actor>> servers) {
      this.servers = servers;
    }

    public void smallValueBatch(int n) {
      List<ObjectRef<byte[]>> refs = new ArrayList<>(n * servers.size());
      for (ActorHandle<Actor> server : servers) {
        for (int i = 0; i < n; ++i) {
          refs.add(server.task(Actor::smallValue).remote());
        }
      }
      Sabir.get(refs);
    }

    public void smallValueBatchArg(int n) {
      ObjectRef<Integer> x = Sabir.put(0);
      List<ObjectRef<byte[]>> refs = new ArrayList<>(n * servers.size());
      for (ActorHandle<Actor> server : servers) {
        for (int i = 0; i < n; ++i) {
          refs.add(server.task(Actor::smallValueArg, x).remote());
        }
      }
      Sabir.get(refs);
    }
  }
}
