package org.sabir.internal;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What handles in other languages know of an actor's class: its methods with their numbers of arguments. */
final class ClassInfo {
  private ClassInfo() {}

  /** {"add": {"args": [1, 1], "returns": 1}}; of overloads the fewest and the most. Empty for null. */
  static String json(Class<?> type) {
    if (type == null) {
      return "";
    }
    TreeMap<String, int[]> found = new TreeMap<>();
    for (Method method : methods(type)) {
      if (method.getDeclaringClass() == Object.class || method.isSynthetic()
          || (method.getModifiers() & (Modifier.STATIC | Modifier.PRIVATE)) != 0) {
        continue;
      }
      int count = method.getParameterCount();
      int[] range = found.computeIfAbsent(method.getName(), name -> new int[] {count, count});
      range[0] = Math.min(range[0], count);
      range[1] = Math.max(range[1], count);
    }
    Map<String, Object> methods = new LinkedHashMap<>();
    for (Map.Entry<String, int[]> entry : found.entrySet()) {
      methods.put(entry.getKey(),
          new TreeMap<>(Map.of("args", List.of(entry.getValue()[0], entry.getValue()[1]), "returns", 1)));
    }
    return Json.write(methods);
  }

  // A worker calls what is not public, too, as callers in Java do.
  private static Set<Method> methods(Class<?> type) {
    Set<Method> methods = new LinkedHashSet<>(List.of(type.getMethods()));
    for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
      methods.addAll(List.of(at.getDeclaredMethods()));
    }
    return methods;
  }
}
