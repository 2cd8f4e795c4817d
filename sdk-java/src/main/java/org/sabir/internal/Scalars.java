package org.sabir.internal;

import java.math.BigDecimal;
import java.math.BigInteger;

/** Numbers, truth values and characters as the type that a program declares. */
final class Scalars {
  private Scalars() {}

  /** Null if the value is none of this type, or would lose something (a double may become a float). */
  static Object convert(Object value, Class<?> target) {
    if (value instanceof Long number) {
      return ofLong(number, target);
    } else if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ofLong(((Number) value).longValue(), target);
    } else if (value instanceof BigInteger number) {
      return ofBig(number, target);
    } else if (value instanceof Double || value instanceof Float) {
      return ofReal(((Number) value).doubleValue(), value, target);
    } else if (value instanceof Boolean) {
      return target == boolean.class || target == Boolean.class ? value : null;
    } else if (value instanceof String text) {
      return (target == char.class || target == Character.class) && text.length() == 1 ? text.charAt(0) : null;
    }
    return target.isInstance(value) ? value : null;
  }

  private static Object ofLong(long number, Class<?> target) {
    if (target == int.class || target == Integer.class) {
      return number == (int) number ? (Object) (int) number : null;
    } else if (target == long.class || target == Long.class || target == Number.class) {
      return number;
    } else if (target == short.class || target == Short.class) {
      return number == (short) number ? (Object) (short) number : null;
    } else if (target == byte.class || target == Byte.class) {
      return number == (byte) number ? (Object) (byte) number : null;
    } else if (target == double.class || target == Double.class) {
      return (long) (double) number == number && number != Long.MAX_VALUE ? (Object) (double) number : null;
    } else if (target == float.class || target == Float.class) {
      return (long) (float) number == number && number != Long.MAX_VALUE ? (Object) (float) number : null;
    } else if (target == BigInteger.class) {
      return BigInteger.valueOf(number);
    } else if (target == BigDecimal.class) {
      return BigDecimal.valueOf(number);
    }
    return null;
  }

  private static Object ofBig(BigInteger number, Class<?> target) {
    if (number.bitLength() < 64) {
      return ofLong(number.longValue(), target);
    } else if (target == BigInteger.class || target == Number.class) {
      return number;
    }
    return target == BigDecimal.class ? new BigDecimal(number) : null;
  }

  private static Object ofReal(double number, Object value, Class<?> target) {
    if (target == double.class || target == Double.class) {
      return number;
    } else if (target == float.class || target == Float.class) {
      return (float) number;
    } else if (target == Number.class) {
      return value;
    }
    return target == BigDecimal.class && Double.isFinite(number) ? (Object) BigDecimal.valueOf(number) : null;
  }
}
