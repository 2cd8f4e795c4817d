package org.sabir;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a task or an actor runs. Immutable: one is made by {@link #spread}, {@link #node} or {@link #labels}, and
 * changed by {@link #withLabels} and {@link #otherwise}.
 *
 * <p>A label selector has conditions on a node's labels, all of which it must meet: {@code "eu"}, {@code "!eu"},
 * {@code "in(eu, us)"}, {@code "!in(eu, us)"}, {@code "exists()"} or {@code "!exists()"}.
 */
public final class Scheduling {
  /** Here if there is room, else on a node that has it. */
  public static final Scheduling DEFAULT = new Scheduling(Kind.DEFAULT, "", false, Map.of(), List.of());

  /** The numbers are those of sabir_strategy in sabir.h: they do not change. */
  public enum Kind { DEFAULT, SPREAD, NODE }

  private final Kind kind;
  private final String nodeId;
  private final boolean soft;
  private final Map<String, String> labels;
  private final List<Map<String, String>> fallbacks;

  private Scheduling(
      Kind kind, String nodeId, boolean soft, Map<String, String> labels, List<Map<String, String>> fallbacks) {
    this.kind = kind;
    this.nodeId = nodeId;
    this.soft = soft;
    this.labels = labels;
    this.fallbacks = fallbacks;
  }

  /** On all nodes alike. */
  public static Scheduling spread() {
    return new Scheduling(Kind.SPREAD, "", false, Map.of(), List.of());
  }

  /**
   * On one node.
   *
   * @param nodeId its id, as {@link Node#nodeId} and {@link RuntimeContext#nodeId} have it
   * @param soft elsewhere if that node is gone or can never run it; else UnschedulableException
   */
  public static Scheduling node(String nodeId, boolean soft) {
    return new Scheduling(Kind.NODE, nodeId, soft, Map.of(), List.of());
  }

  /** On nodes that meet this selector. */
  public static Scheduling labels(Map<String, String> selector) {
    return DEFAULT.withLabels(selector);
  }

  /** The same, on nodes alone that meet this selector. */
  public Scheduling withLabels(Map<String, String> selector) {
    return new Scheduling(kind, nodeId, soft, checked(selector), fallbacks);
  }

  /** The same; but on nodes that meet this selector when none of those named before has room now. In their order. */
  public Scheduling otherwise(Map<String, String> selector) {
    List<Map<String, String>> more = new ArrayList<>(fallbacks);
    more.add(checked(selector));
    return new Scheduling(kind, nodeId, soft, labels, List.copyOf(more));
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

  @Override
  public boolean equals(Object other) {
    return other instanceof Scheduling that && kind == that.kind && nodeId.equals(that.nodeId) && soft == that.soft
        && labels.equals(that.labels) && fallbacks.equals(that.fallbacks);
  }

  @Override
  public int hashCode() {
    return java.util.Objects.hash(kind, nodeId, soft, labels, fallbacks);
  }

  @Override
  public String toString() {
    return kind + (nodeId.isEmpty() ? "" : " " + nodeId + (soft ? " (soft)" : ""))
        + (labels.isEmpty() ? "" : " " + new TreeMap<>(labels)) + (fallbacks.isEmpty() ? "" : " else " + fallbacks);
  }
}
