package org.sabir.internal;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** The type to read a value as that this program stores itself: a List of Integers, as far as its items agree. */
final class TypeOf {
  private static final int DEPTH_MAX = 4;

  private TypeOf() {}

  static Type value(Object value) {
    Type type = of(value, 0);
    return type == null ? Object.class : type;
  }

  // null: any type will do, as for null and for items of an empty list.
  private static Type of(Object value, int depth) {
    if (value == null) {
      return null;
    } else if (depth == DEPTH_MAX) {
      return Object.class;
    } else if (value instanceof List<?> list) {
      return container(List.class, common(list, depth));
    } else if (value instanceof Map<?, ?> map) {
      return container(Map.class, common(map.keySet(), depth), common(map.values(), depth));
    }
    return value.getClass();
  }

  private static Type common(Iterable<?> items, int depth) {
    Type common = null;
    for (Object item : items) {
      Type type = of(item, depth + 1);
      if (common == null) {
        common = type;
      } else if (type != null && !type.equals(common)) {
        return Object.class;
      }
    }
    return common;
  }

  private static Type container(Class<?> raw, Type... arguments) {
    Type[] known = new Type[arguments.length];
    boolean plain = true;
    for (int i = 0; i < known.length; ++i) {
      known[i] = arguments[i] == null ? Object.class : arguments[i];
      plain &= known[i] == Object.class;
    }
    return plain ? Object.class : new Parameterized(raw, known);
  }

  private record Parameterized(Class<?> raw, Type[] arguments) implements ParameterizedType {
    @Override
    public Type[] getActualTypeArguments() {
      return arguments;
    }

    @Override
    public Type getRawType() {
      return raw;
    }

    @Override
    public Type getOwnerType() {
      return null;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Parameterized that && raw == that.raw && Arrays.equals(arguments, that.arguments);
    }

    @Override
    public int hashCode() {
      return raw.hashCode() * 31 + Arrays.hashCode(arguments);
    }
  }
}
