package org.sabir.internal;

import java.lang.reflect.Executable;
import java.math.BigInteger;

/** Which of several methods is nearest to arguments that came from another language. */
final class Overloads {
  private static final int CONVERTED = 40;
  private static final int OBJECT = 80;

  private Overloads() {}

  /** The less, the nearer: a sum over the arguments, since each tells one type from another. */
  static int distance(Executable executable, Resolver.Bound bound, Object[] args) {
    Class<?>[] types = executable.getParameterTypes();
    int shift = args.length - types.length; // a receiver among the arguments
    int sum = 0;
    for (int i = 0; i < types.length; ++i) {
      sum += distance(args[i + Math.max(0, shift)], types[i]);
    }
    return sum;
  }

  private static int distance(Object value, Class<?> type) {
    if (type == Object.class) {
      return OBJECT;
    } else if (value == null) {
      return type.isPrimitive() ? OBJECT : 0;
    } else if (value instanceof Long) {
      return ofInteger(type);
    } else if (value instanceof BigInteger) {
      return type == BigInteger.class ? 0 : CONVERTED;
    } else if (value instanceof Double || value instanceof Float) {
      return type == double.class || type == Double.class ? 0
          : type == float.class || type == Float.class    ? 10
                                                          : CONVERTED;
    } else if (type.isPrimitive()) {
      return value instanceof Boolean && type == boolean.class ? 0 : CONVERTED;
    } else if (value.getClass() == type) {
      return 0;
    }
    return type.isInstance(value) ? 20 : CONVERTED;
  }

  private static int ofInteger(Class<?> type) {
    Class<?>[] order = {long.class, Long.class, int.class, Integer.class, short.class, Short.class, byte.class,
        Byte.class, BigInteger.class, double.class, Double.class, float.class, Float.class};
    for (int i = 0; i < order.length; ++i) {
      if (order[i] == type) {
        return i;
      }
    }
    return CONVERTED;
  }

  /** For errors: "(Long, String)". */
  static String describe(Object[] args) {
    StringBuilder text = new StringBuilder("(");
    for (int i = 0; i < args.length; ++i) {
      text.append(i > 0 ? ", " : "").append(args[i] == null ? "null" : args[i].getClass().getSimpleName());
    }
    return text.append(")").toString();
  }
}
