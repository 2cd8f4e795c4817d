package org.sabir.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.sabir.InvalidArgumentException;
import org.sabir.ObjectRef;
import org.sabir.PlacementGroup;
import org.sabir.PlacementGroupOptions;
import org.sabir.PlacementGroups;

/** Placement groups, by the core. */
public final class Groups {
  private Groups() {}

  public static PlacementGroup create(List<Map<String, Double>> bundles, PlacementGroupOptions options) {
    if (!options.bundleLabels().isEmpty() && options.bundleLabels().size() != bundles.size()) {
      throw new InvalidArgumentException(
          "bundleLabels needs a selector for each of the " + bundles.size() + " bundles");
    }
    int[] counts = new int[bundles.size()];
    int[] labelCounts = new int[bundles.size()];
    List<byte[]> names = new ArrayList<>();
    List<Double> amounts = new ArrayList<>();
    List<byte[]> labels = new ArrayList<>();
    for (int i = 0; i < bundles.size(); ++i) {
      counts[i] = bundles.get(i).size();
      bundles.get(i).forEach((name, amount) -> {
        names.add(Texts.utf8(name));
        amounts.add(amount);
      });
      if (!options.bundleLabels().isEmpty()) {
        labelCounts[i] = options.bundleLabels().get(i).size();
        new TreeMap<>(options.bundleLabels().get(i)).forEach((key, condition) -> {
          labels.add(Texts.utf8(key));
          labels.add(Texts.utf8(condition));
        });
      }
    }
    Client client = Runtimes.current();
    long entered = client.enter();
    try {
      return new PlacementGroup(
          Texts.ofUtf8(Native.createGroup(entered, options.strategy().ordinal(), counts, names.toArray(new byte[0][]),
              amounts.stream().mapToDouble(Double::doubleValue).toArray(), labelCounts, labels.toArray(new byte[0][]),
              Texts.utf8(options.name()), Texts.utf8(options.namespace()), options.detached())));
    } finally {
      client.leave();
    }
  }

  public static ObjectRef<PlacementGroup> ready(PlacementGroup group) {
    Client client = Runtimes.current();
    CallBuffer buffer = CallBuffer.take(client);
    try {
      buffer.value(group, "a placement group", ValueWriter.Readers.ANY);
      long entered = client.enter();
      try {
        long ref = Native.groupReady(
            entered, Texts.utf8(group.id()), buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount);
        return new Ref<>(client, ref, PlacementGroup.class);
      } finally {
        client.leave();
      }
    } finally {
      buffer.done();
    }
  }

  public static void remove(PlacementGroup group) {
    Client client = Runtimes.current();
    long entered = client.enter();
    try {
      Native.removeGroup(entered, Texts.utf8(group.id()));
    } finally {
      client.leave();
    }
  }

  public static Optional<PlacementGroup> current() {
    Client client = Runtimes.current();
    long entered = client.enter();
    try {
      String id = Texts.ofUtf8(Native.currentGroup(entered));
      return id.isEmpty() ? Optional.empty() : Optional.of(new PlacementGroup(id));
    } finally {
      client.leave();
    }
  }

  public static List<PlacementGroups.Info> find(String id, String name, String namespace) {
    Client client = Runtimes.current();
    String json;
    long entered = client.enter();
    try {
      json = Texts.ofUtf8(Native.findGroups(entered, Texts.utf8(id), Texts.utf8(name), Texts.utf8(namespace)));
    } finally {
      client.leave();
    }
    List<PlacementGroups.Info> found = new ArrayList<>();
    for (Object item : (List<?>) Json.read(json)) {
      Map<?, ?> group = (Map<?, ?>) item;
      List<Map<String, Double>> bundles = new ArrayList<>();
      List<String> nodes = new ArrayList<>();
      for (Object one : (List<?>) group.get("bundles")) {
        Map<?, ?> bundle = (Map<?, ?>) one;
        Map<String, Double> resources = new LinkedHashMap<>();
        ((Map<?, ?>) bundle.get("resources"))
            .forEach((key, amount) -> resources.put((String) key, ((Number) amount).doubleValue()));
        bundles.add(resources);
        nodes.add((String) bundle.get("node_id"));
      }
      found.add(new PlacementGroups.Info(new PlacementGroup((String) group.get("group_id")), (String) group.get("name"),
          (String) group.get("namespace"), (String) group.get("strategy"), (String) group.get("state"),
          (String) group.get("reason"), (Boolean) group.get("infeasible"), (Boolean) group.get("detached"), bundles,
          nodes));
    }
    return found;
  }
}
