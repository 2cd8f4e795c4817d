package org.sabir;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.sabir.internal.Groups;

/** Makes, finds and removes placement groups. */
public final class PlacementGroups {
  private PlacementGroups() {}

  /**
   * What is known of a group.
   *
   * @param state "pending", "preparing", "ready" or "replacing"
   * @param reason why it is not ready, for people; "" if it is
   * @param infeasible no nodes ever could have its bundles, as the cluster is
   * @param bundles what each reserves, by resource
   * @param nodes of each bundle; "": it has no place
   */
  public record Info(PlacementGroup group, String name, String namespace, String strategy, String state, String reason,
      boolean infeasible, boolean detached, List<Map<String, Double>> bundles, List<String> nodes) {}

  /** One with these bundles, of resources by name: "CPU", "GPU", "memory", the user's. */
  public static PlacementGroup create(List<Map<String, Double>> bundles) {
    return create(bundles, PlacementGroupOptions.DEFAULT);
  }

  /**
   * Asks for a group and returns its handle at once; its bundles are reserved when there is room.
   *
   * @throws InvalidArgumentException what no cluster could have
   * @throws NameTakenException another group has the name
   */
  public static PlacementGroup create(List<Map<String, Double>> bundles, PlacementGroupOptions options) {
    return Groups.create(bundles, options);
  }

  /** What runs in it ends: calls throw {@link GroupRemovedException}, actors die. Twice is like once. */
  public static void remove(PlacementGroup group) {
    Groups.remove(group);
  }

  /** The group that has this name in the job's namespace; NotFoundException if there is none. */
  public static PlacementGroup get(String name) {
    return get(name, "");
  }

  /** The group that has this name in the namespace; NotFoundException if there is none. */
  public static PlacementGroup get(String name, String namespace) {
    if (name.isEmpty()) {
      throw new InvalidArgumentException("the name of a placement group is not empty");
    }
    return Groups.find("", name, namespace).get(0).group();
  }

  /** The group that the calling task or actor runs in. */
  public static Optional<PlacementGroup> current() {
    return Groups.current();
  }

  /** What is known of a group; NotFoundException if there is none, or none any more. */
  public static Info info(PlacementGroup group) {
    return Groups.find(group.id(), "", "").get(0);
  }

  /** All of the session. */
  public static List<Info> all() {
    return Groups.find("", "", "");
  }
}
