package org.sabir.internal;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import org.sabir.ObjectRef;

/**
 * What a lambda captured, where it must not become something else on its way: a reference is not to be replaced by its
 * value, and has the type that it had. It travels in Java's own form; code is of Java, too.
 */
record Captured(Object value) implements Serializable {
  private static final long serialVersionUID = 1L;

  static Object of(Object value) {
    return value instanceof ObjectRef || holdsReferences(value) ? new Captured(value) : value;
  }

  static Object unwrapped(Object argument) {
    return argument instanceof Captured captured ? captured.value : argument;
  }

  private static boolean holdsReferences(Object value) {
    Collection<?> items = value instanceof Collection<?> collection ? collection
        : value instanceof Map<?, ?> map                            ? map.values()
        : value instanceof Object[] array                           ? Arrays.asList(array)
                                                                    : java.util.List.of();
    return items.stream().anyMatch(ObjectRef.class ::isInstance);
  }
}
