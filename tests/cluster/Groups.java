import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.sabir.*;

/** A driver that uses placement groups on a cluster of two nodes, "here" and "far", with two CPUs each. */
public final class Groups {
  static final Duration LONG = Duration.ofSeconds(60);

  static String where() {
    return Sabir.context().nodeId() + " " + PlacementGroups.current().map(PlacementGroup::id).orElse("none");
  }

  static String child() {
    return Sabir.task(Groups::where).numCpus(0).remote().get(LONG);
  }

  /** A handle that came as an argument. */
  static boolean use(PlacementGroup group) {
    return Sabir.task(Groups::where)
        .scheduling(Scheduling.group(group, 1, false))
        .remote()
        .get(LONG)
        .endsWith(group.id());
  }

  public static final class Place {
    public String here() {
      return where();
    }
  }

  static String refused(Class<? extends SabirException> kind, Runnable action) {
    try {
      action.run();
      return "nothing";
    } catch (SabirException e) {
      return kind.isInstance(e) ? "refused" : e.toString();
    }
  }

  public static void main(String[] args) {
    try (Session session = Sabir.init(SabirOptions.builder().address(args[0]).build())) {
      PlacementGroup group = PlacementGroups.create(List.of(Map.of("CPU", 1.0), Map.of("CPU", 1.0)),
          PlacementGroupOptions.DEFAULT.strategy(PlacementGroupOptions.Strategy.STRICT_SPREAD).name("ring"));
      System.out.println("ready: " + (group.ready().get(LONG).equals(group) ? 1 : 0) + (group.waitReady(LONG) ? 1 : 0));
      PlacementGroups.Info info = PlacementGroups.info(group);
      System.out.println(info.strategy() + " " + info.state() + " " + info.bundles().size() + " "
          + new HashSet<>(info.nodes()).size());
      System.out.println("named: " + (PlacementGroups.get("ring").equals(group) ? 1 : 0));
      for (int bundle = 0; bundle < 2; ++bundle) {
        String ran = Sabir.task(Groups::where).scheduling(Scheduling.group(group, bundle, false)).remote().get(LONG);
        System.out.println(
            "bundle " + bundle + ": " + (ran.equals(info.nodes().get(bundle) + " " + group.id()) ? 1 : 0));
      }
      String captured = Sabir.task(Groups::child).scheduling(Scheduling.group(group, -1, true)).remote().get(LONG);
      System.out.println("captured: " + (captured.endsWith(group.id()) ? 1 : 0));
      System.out.println("passed: " + (Sabir.task(Groups::use, group).numCpus(0).remote().get(LONG) ? 1 : 0));
      ActorHandle<Place> actor = Sabir.actor(Place::new).scheduling(Scheduling.group(group, 1, false)).remote();
      System.out.println("actor: "
          + (actor.task(Place::here).remote().get(LONG).equals(info.nodes().get(1) + " " + group.id()) ? 1 : 0));
      System.out.println("empty: " + refused(InvalidArgumentException.class, () -> PlacementGroups.create(List.of())));
      System.out.println("index: "
          + refused(InvalidArgumentException.class,
              () -> Sabir.task(Groups::where).scheduling(Scheduling.group(group, 7, false)).remote()));
      PlacementGroup large = PlacementGroups.create(List.of(Map.of("CPU", 64.0)));
      System.out.println("large: " + (large.waitReady(Duration.ofMillis(300)) ? 1 : 0)
          + (PlacementGroups.info(large).infeasible() ? 1 : 0));
      PlacementGroups.remove(large);
      PlacementGroups.remove(group);
      System.out.println("removed: " + refused(GroupRemovedException.class, () -> group.ready().get(LONG)) + " "
          + refused(ActorDiedException.class, () -> actor.task(Place::here).remote().get(LONG)) + " "
          + PlacementGroups.all().size());
    }
  }
}
