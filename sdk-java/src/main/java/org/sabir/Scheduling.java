package org.sabir;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a task or an actor runs. Immutable: one is made by {@link #spread}, {@link #node}, {@link #group} or {@link
 * #labels}, and changed by {@link #withLabels} and {@link #otherwise}.
 *
 * <p>A label selector has conditions on a node's labels, all of which it must meet: {@code "eu"}, {@code "!eu"},
 * {@code "in(eu, us)"}, {@code "!in(eu, us)"}, {@code "exists()"} or {@code "!exists()"}.
 */
public final class Scheduling {
  /** Here if there is room, else on a node that has it. */
  public static final Scheduling DEFAULT = new Scheduling(Kind.DEFAULT, "", false, Map.of(), List.of(), "", -1, false);

  /** The numbers are those of sabir_strategy in sabir.h: they do not change. */
  public enum Kind { DEFAULT, SPREAD, NODE, GROUP }

  private final Kind kind;
  private final String nodeId;
  private final boolean soft;
  private final Map<String, String> labels;
  private final List<Map<String, String>> fallbacks;
  private final String groupId;
  private final int bundle;
  private final boolean captureChildren;

  private Scheduling(Kind kind, String nodeId, boolean soft, Map<String, String> labels,
      List<Map<String, String>> fallbacks, String groupId, int bundle, boolean captureChildren) {
    this.kind = kind;
    this.nodeId = nodeId;
    this.soft = soft;
    this.labels = labels;
    this.fallbacks = fallbacks;
    this.groupId = groupId;
    this.bundle = bundle;
    this.captureChildren = captureChildren;
  }

  /** On all nodes alike. */
  public static Scheduling spread() {
    return new Scheduling(Kind.SPREAD, "", false, Map.of(), List.of(), "", -1, false);
  }

  /**
   * On one node.
   *
   * @param nodeId its id, as {@link Node#nodeId} and {@link RuntimeContext#nodeId} have it
   * @param soft elsewhere if that node is gone or can never run it; else UnschedulableException
   */
  public static Scheduling node(String nodeId, boolean soft) {
    return new Scheduling(Kind.NODE, nodeId, soft, Map.of(), List.of(), "", -1, false);
  }

  /** In any bundle of a placement group that has room. */
  public static Scheduling group(PlacementGroup group) {
    return group(group, -1, false);
  }

  /**
   * In a bundle of a placement group.
   *
   * @param bundle its index, from 0; -1: any that has room
   * @param captureChildren what is called and made inside, and says nothing of where it is to run, does so in the
   *     group, too
   */
  public static Scheduling group(PlacementGroup group, int bundle, boolean captureChildren) {
    return new Scheduling(Kind.GROUP, "", false, Map.of(), List.of(), group.id(), bundle, captureChildren);
  }

  /** In no group, also where the caller's group captures what it calls. */
  public static Scheduling noGroup() {
    return new Scheduling(Kind.GROUP, "", false, Map.of(), List.of(), "", -1, false);
  }

  /** On nodes that meet this selector. */
  public static Scheduling labels(Map<String, String> selector) {
    return DEFAULT.withLabels(selector);
  }

  /** The same, on nodes alone that meet this selector. */
  public Scheduling withLabels(Map<String, String> selector) {
    return new Scheduling(kind, nodeId, soft, checked(selector), fallbacks, groupId, bundle, captureChildren);
  }

  /** The same; but on nodes that meet this selector when none of those named before has room now. In their order. */
  public Scheduling otherwise(Map<String, String> selector) {
    List<Map<String, String>> more = new ArrayList<>(fallbacks);
    more.add(checked(selector));
    return new Scheduling(kind, nodeId, soft, labels, List.copyOf(more), groupId, bundle, captureChildren);
  }

  private static Map<String, String> checked(Map<String, String> selector) {
    if (selector.containsKey("")) {
      throw new InvalidArgumentException("a label selector with an empty label");
    }
    return Map.copyOf(selector);
  }

  public Kind kind() {
    return kind;
  }

  /** Of the one node, or "". */
  public String nodeId() {
    return nodeId;
  }

  public boolean soft() {
    return soft;
  }

  public Map<String, String> labels() {
    return labels;
  }

  public List<Map<String, String>> fallbacks() {
    return fallbacks;
  }

  /** The id of the placement group, or "". */
  public String groupId() {
    return groupId;
  }

  /** The index of its bundle; -1: any. */
  public int bundle() {
    return bundle;
  }

  public boolean captureChildren() {
    return captureChildren;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Scheduling that && kind == that.kind && nodeId.equals(that.nodeId) && soft == that.soft
        && labels.equals(that.labels) && fallbacks.equals(that.fallbacks) && groupId.equals(that.groupId)
        && bundle == that.bundle && captureChildren == that.captureChildren;
  }

  @Override
  public int hashCode() {
    return java.util.Objects.hash(kind, nodeId, soft, labels, fallbacks, groupId, bundle, captureChildren);
  }

  @Override
  public String toString() {
    return kind + (groupId.isEmpty() ? "" : " " + groupId + (bundle < 0 ? "" : ", bundle " + bundle))
        + (nodeId.isEmpty() ? "" : " " + nodeId + (soft ? " (soft)" : ""))
        + (labels.isEmpty() ? "" : " " + new TreeMap<>(labels)) + (fallbacks.isEmpty() ? "" : " else " + fallbacks);
  }
}
