package org.sabir.internal;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.sabir.InvalidArgumentException;

/** Resources by name, as native code wants them. Equal if names and amounts are. */
public final class ResourceList {
  private final byte[][] names;
  private final double[] amounts;

  public ResourceList(Map<String, Double> resources) {
    names = new byte[resources.size()][];
    amounts = new double[resources.size()];
    int i = 0;
    for (Map.Entry<String, Double> entry : new TreeMap<>(resources).entrySet()) {
      names[i] = Texts.utf8(entry.getKey());
      amounts[i++] = entry.getValue();
    }
  }

  /** InvalidArgumentException unless it is a number from zero on. */
  public static double checked(String name, double amount) {
    if (!(amount >= 0) || Double.isInfinite(amount)) {
      throw new InvalidArgumentException("an amount of " + amount + " for the resource " + name);
    }
    return amount;
  }

  byte[][] names() {
    return names;
  }

  double[] amounts() {
    return amounts;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ResourceList that && Arrays.deepEquals(names, that.names)
        && Arrays.equals(amounts, that.amounts);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(names) * 31 + Arrays.hashCode(amounts);
  }
}
