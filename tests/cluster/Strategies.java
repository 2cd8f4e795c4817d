import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sabir.InvalidArgumentException;
import org.sabir.Node;
import org.sabir.ObjectRef;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Scheduling;
import org.sabir.UnschedulableException;

/** A driver in Java on a cluster of two nodes: "here" (zone eu) and "far" (zone us). Prints what it finds. */
public final class Strategies {
  private Strategies() {}

  static String where(int ms) throws InterruptedException {
    Thread.sleep(ms);
    return Sabir.context().nodeId();
  }

  private static String nodeNamed(String name) {
    return Sabir.nodes().stream().filter(node -> node.name().equals(name)).findFirst().orElseThrow().nodeId();
  }

  private static String nameOf(String id) {
    return Sabir.nodes().stream().filter(node -> node.nodeId().equals(id)).findFirst().orElseThrow().name();
  }

  private static String run(Scheduling scheduling) {
    return nameOf(Sabir.task(Strategies::where, 0).scheduling(scheduling).remote().get(Duration.ofSeconds(60)));
  }

  public static void main(String[] arguments) {
    Sabir.init(SabirOptions.builder().address(arguments[0]).build());
    for (Node node : Sabir.nodes()) {
      System.out.println(node.name() + " is in " + node.labels().get("zone") + ", alive " + (node.alive() ? 1 : 0));
    }
    System.out.println("node: " + run(Scheduling.node(nodeNamed("far"), false)) + " "
        + run(Scheduling.node(nodeNamed("here"), false)));
    System.out.println("soft: " + (run(Scheduling.node("a".repeat(32), true)).isEmpty() ? 0 : 1));
    System.out.println("labels: " + run(Scheduling.labels(Map.of("zone", "!eu"))) + " "
        + run(Scheduling.labels(Map.of("zone", "in(eu, asia)"))));
    System.out.println("fallback: " + run(Scheduling.labels(Map.of("zone", "mars")).otherwise(Map.of("zone", "us"))));
    List<ObjectRef<String>> refs = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      refs.add(Sabir.task(Strategies::where, 10).scheduling(Scheduling.spread()).remote());
    }
    Set<String> used = new HashSet<>();
    Sabir.get(refs).forEach(id -> used.add(nameOf(id)));
    System.out.println("spread: " + used.size());
    try {
      run(Scheduling.node("a".repeat(32), false));
    } catch (UnschedulableException error) {
      System.out.println("hard: " + error.getMessage());
    }
    try {
      run(Scheduling.labels(Map.of("zone", "in(")));
    } catch (InvalidArgumentException error) {
      System.out.println("refused");
    }
    Sabir.shutdown();
  }
}
