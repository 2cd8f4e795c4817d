package org.sabir.internal;

import java.util.List;

/** The references of a value, in the order in which its bytes name them. */
final class References {
  private References() {}

  /** The index of the reference; the same one is listed once. */
  static int add(List<Object> references, Object reference) {
    for (int i = 0; i < references.size(); ++i) {
      if (references.get(i) == reference) {
        return i;
      }
    }
    references.add(reference);
    return references.size() - 1;
  }
}
