package org.sabir.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.sabir.Node;

/** The nodes, as the state of the session tells of them (docs/status.md). */
public final class Nodes {
  private Nodes() {}

  public static List<Node> of(String status) {
    List<Node> nodes = new ArrayList<>();
    for (Object item : (List<?>) ((Map<?, ?>) Json.read(status)).get("nodes")) {
      Map<?, ?> node = (Map<?, ?>) item;
      Map<?, ?> store = (Map<?, ?>) node.get("store");
      nodes.add(
          new Node((String) node.get("node_id"), (Boolean) node.get("alive"), amounts(node.get("resources_total")),
              amounts(node.get("resources_available")), ((Number) store.get("capacity_bytes")).longValue(),
              ((Number) store.get("used_bytes")).longValue(), (String) node.get("name"),
              node.get("address") instanceof String address ? address : "", texts(node.get("labels"))));
    }
    return List.copyOf(nodes);
  }

  public static Map<String, Double> sum(List<Node> nodes, Function<Node, Map<String, Double>> field) {
    Map<String, Double> total = new LinkedHashMap<>();
    for (Node node : nodes) {
      field.apply(node).forEach((name, amount) -> total.merge(name, amount, Double::sum));
    }
    return total;
  }

  private static Map<String, String> texts(Object json) {
    Map<String, String> texts = new LinkedHashMap<>();
    ((Map<?, ?>) json).forEach((key, value) -> texts.put((String) key, (String) value));
    return texts;
  }

  private static Map<String, Double> amounts(Object json) {
    Map<String, Double> amounts = new LinkedHashMap<>();
    ((Map<?, ?>) json).forEach((name, amount) -> amounts.put((String) name, ((Number) amount).doubleValue()));
    return amounts;
  }
}
