package org.sabir.internal;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.sabir.ObjectRef;
import org.sabir.SerializationException;
import org.sabir.Tensor;

/**
 * From what a reader makes (Long, ArrayList, ...) to what a program declares (int, int[], Set of Short, a type with a
 * converter). Nothing is changed that would lose something: 300 is no byte, 0.5 no int.
 */
public final class Conversions {
  private Conversions() {}

  /** The value as this type; SerializationException that names the place if there is no way. */
  public static Object to(Object value, Type type, Object where) {
    if (value != null && type == value.getClass() || type == Object.class) {
      return value;
    }
    return new Walk(where).convert(value, type, null);
  }

  /** The class behind a type: of List&lt;String&gt; it is List. */
  public static Class<?> rawClass(Type type) {
    if (type instanceof Class<?> known) {
      return known;
    } else if (type instanceof ParameterizedType parameterized) {
      return (Class<?>) parameterized.getRawType();
    } else if (type instanceof GenericArrayType array) {
      return Array.newInstance(rawClass(array.getGenericComponentType()), 0).getClass();
    } else if (type instanceof WildcardType wildcard) {
      return rawClass(wildcard.getUpperBounds()[0]);
    }
    return Object.class;
  }

  /** The n-th type argument, or Object. */
  static Type argument(Type type, int index) {
    return type instanceof ParameterizedType parameterized && index < parameterized.getActualTypeArguments().length
        ? parameterized.getActualTypeArguments()[index]
        : Object.class;
  }

  /** The way from the root of a value to the place at which it is, kept as a list so that nothing is built in vain. */
  private record Place(Place outer, Object step) {
    String text() {
      return (outer == null ? "" : outer.text()) + "[" + Texts.shortened(step) + "]";
    }
  }

  private static final class Walk {
    private final Object where;

    Walk(Object where) {
      this.where = where;
    }

    SerializationException impossible(Object value, Type type, Place place, String why) {
      return new SerializationException(where + (place == null ? "" : place.text()) + ": cannot make "
          + type.getTypeName() + " of "
          + (value == null ? "null" : value.getClass().getSimpleName() + " " + Texts.shortened(value))
          + (why.isEmpty() ? "" : ": " + why));
    }

    Object convert(Object value, Type type, Place place) {
      Class<?> target = rawClass(type);
      if (value == null) {
        if (target.isPrimitive() && target != void.class) {
          throw impossible(null, type, place, "a primitive has no null");
        }
        return null;
      }
      if (target == Object.class || type == value.getClass()) {
        return value;
      }
      if (value instanceof List<?> list) {
        return fromList(list, type, target, place);
      } else if (value instanceof Map<?, ?> map && Map.class.isAssignableFrom(target)) {
        return toMap(map, type, target, place);
      } else if (value instanceof Ref<?> reference && target == ObjectRef.class) {
        return reference.asType(argument(type, 0));
      }
      if (target.isPrimitive() || Number.class.isAssignableFrom(target)
          || target == Character.class || target == Boolean.class) {
        Object number = Scalars.convert(value, target);
        if (number == null) {
          throw impossible(value, type, place, "");
        }
        return number;
      }
      if (target.isInstance(value)) {
        return value;
      }
      return fromScalar(value, type, target, place);
    }

    private Object fromScalar(Object value, Type type, Class<?> target, Place place) {
      if (target == OffsetDateTime.class && value instanceof Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
      } else if (target == Instant.class && value instanceof OffsetDateTime time) {
        return time.toInstant();
      } else if (target.isArray() && value instanceof Tensor tensor) {
        return fromTensor(tensor, type, target, place);
      } else if (target == Tensor.class && value instanceof byte[] bytes) {
        return Tensor.of(org.sabir.DType.UINT8, ByteBuffer.wrap(bytes), bytes.length);
      } else if (target == ByteBuffer.class && value instanceof Tensor tensor) {
        return tensor.contiguous().buffer();
      } else if (target == ByteBuffer.class && value instanceof byte[] bytes) {
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
      } else if (target.isEnum() && value instanceof String name) {
        for (Object constant : target.getEnumConstants()) {
          if (((Enum<?>) constant).name().equals(name)) {
            return constant;
          }
        }
        throw impossible(value, type, place, "it has no such constant");
      }
      return byConverter(value, type, target, place);
    }

    private Object byConverter(Object value, Type type, Class<?> target, Place place) {
      Converters.Registered<?> converter = Converters.afterInitializing(target);
      if (converter == null) {
        throw impossible(value, type, place, "");
      }
      return converter.converter().fromNeutral(value);
    }

    private Object fromTensor(Tensor tensor, Type type, Class<?> target, Place place) {
      try {
        return tensor.toArray(target);
      } catch (SerializationException mismatch) {
        throw impossible(tensor, type, place, "");
      }
    }

    private Object fromList(List<?> list, Type type, Class<?> target, Place place) {
      if (target.isArray()) {
        Type itemType =
            type instanceof GenericArrayType array ? array.getGenericComponentType() : target.getComponentType();
        Object array = Array.newInstance(rawClass(itemType), list.size());
        int i = 0;
        for (Object item : list) {
          Array.set(array, i, convert(item, itemType, new Place(place, i)));
          ++i;
        }
        return array;
      }
      Containers.Maker maker = Containers.collection(target);
      if (maker == null) {
        return byConverter(list, type, target, place);
      }
      Type itemType = argument(type, 0);
      if (target.isInstance(list) && rawClass(itemType) == Object.class) {
        return list;
      }
      return maker.ofItems(list.size(), out -> {
        int i = 0;
        for (Object item : list) {
          out.add(convert(item, itemType, new Place(place, i++)));
        }
      });
    }

    private Object toMap(Map<?, ?> map, Type type, Class<?> target, Place place) {
      Type keyType = argument(type, 0);
      Type valueType = argument(type, 1);
      if (target.isInstance(map) && rawClass(keyType) == Object.class && rawClass(valueType) == Object.class) {
        return map;
      }
      Map<Object, Object> out = Containers.map(target);
      if (out == null) {
        throw impossible(map, type, place, "");
      }
      for (Map.Entry<?, ?> entry : map.entrySet()) {
        Place inner = new Place(place, entry.getKey());
        out.put(convert(entry.getKey(), keyType, inner), convert(entry.getValue(), valueType, inner));
      }
      return out;
    }
  }
}
