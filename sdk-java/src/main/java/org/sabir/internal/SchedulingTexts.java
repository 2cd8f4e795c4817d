package org.sabir.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.sabir.Scheduling;

/**
 * A {@link Scheduling} as native code wants it: nothing for the default, else the number of its kind, its node, "1" if
 * it is soft, its placement group, the index of the bundle, "1" if it captures; then pairs of a label and its
 * condition; a pair of empty texts begins the next fallback.
 */
final class SchedulingTexts {
  private SchedulingTexts() {}

  static byte[][] of(Scheduling scheduling) {
    if (scheduling.equals(Scheduling.DEFAULT)) {
      return new byte[0][];
    }
    List<byte[]> texts = new ArrayList<>();
    texts.add(Texts.utf8(Integer.toString(scheduling.kind().ordinal())));
    texts.add(Texts.utf8(scheduling.nodeId()));
    texts.add(Texts.utf8(scheduling.soft() ? "1" : ""));
    texts.add(Texts.utf8(scheduling.groupId()));
    texts.add(Texts.utf8(Integer.toString(scheduling.bundle())));
    texts.add(Texts.utf8(scheduling.captureChildren() ? "1" : ""));
    add(scheduling.labels(), texts);
    for (Map<String, String> fallback : scheduling.fallbacks()) {
      texts.add(new byte[0]);
      texts.add(new byte[0]);
      add(fallback, texts);
    }
    return texts.toArray(new byte[0][]);
  }

  private static void add(Map<String, String> labels, List<byte[]> texts) {
    new TreeMap<>(labels).forEach((key, condition) -> {
      texts.add(Texts.utf8(key));
      texts.add(Texts.utf8(condition));
    });
  }
}
