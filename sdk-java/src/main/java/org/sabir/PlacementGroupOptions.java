package org.sabir;

import java.util.List;
import java.util.Map;

/**
 * How a placement group is to be made. Immutable; {@link #DEFAULT} is changed by the other methods.
 *
 * @param strategy how bundles are spread over nodes
 * @param name for {@link PlacementGroups#get}; "": none
 * @param namespace of the name; "": the job's
 * @param detached it outlives its job
 * @param bundleLabels for each bundle what its node must meet ({@link Scheduling#labels}); empty: nothing
 */
public record PlacementGroupOptions(
    Strategy strategy, String name, String namespace, boolean detached, List<Map<String, String>> bundleLabels) {
  /** The numbers are those of sabir_group_strategy in sabir.h: they do not change. */
  public enum Strategy {
    /** On few nodes. */
    PACK,
    /** On many nodes. */
    SPREAD,
    /** On one node, or not at all. */
    STRICT_PACK,
    /** Each on another node, or not at all. */
    STRICT_SPREAD
  }

  public static final PlacementGroupOptions DEFAULT =
      new PlacementGroupOptions(Strategy.PACK, "", "", false, List.of());

  public PlacementGroupOptions {
    bundleLabels = bundleLabels.stream().map(Map::copyOf).toList();
  }

  public PlacementGroupOptions strategy(Strategy changed) {
    return new PlacementGroupOptions(changed, name, namespace, detached, bundleLabels);
  }

  public PlacementGroupOptions name(String changed) {
    return new PlacementGroupOptions(strategy, changed, namespace, detached, bundleLabels);
  }

  public PlacementGroupOptions namespace(String changed) {
    return new PlacementGroupOptions(strategy, name, changed, detached, bundleLabels);
  }

  public PlacementGroupOptions detached(boolean changed) {
    return new PlacementGroupOptions(strategy, name, namespace, changed, bundleLabels);
  }

  public PlacementGroupOptions bundleLabels(List<Map<String, String>> changed) {
    return new PlacementGroupOptions(strategy, name, namespace, detached, changed);
  }
}
