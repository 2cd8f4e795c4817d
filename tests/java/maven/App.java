package example;

import org.sabir.ActorHandle;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;

/** App SESSION_ROOT */
public final class App {
  private int total;

  static int square(int x) {
    return x * x;
  }

  int add(int x) {
    total += x;
    return total;
  }

  public static void main(String[] args) {
    try (
        Session session = Sabir.init(SabirOptions.builder().address("local").numCpus(1).sessionRoot(args[0]).build())) {
      ActorHandle<App> app = Sabir.actor(App::new).remote();
      ObjectRef<Integer> last = null;
      for (int i = 1; i <= 3; ++i) {
        last = app.task(App::add, Sabir.task(App::square, i).remote()).remote();
      }
      System.out.println(last.get());
    }
  }
}
