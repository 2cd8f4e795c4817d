package org.sabir.internal;

import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.LinkedList;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Lists, sets and maps of the type that a program declares. */
final class Containers {
  private Containers() {}

  /** Makes a collection of one type. */
  interface Maker {
    Collection<Object> empty(int size);

    default Collection<Object> ofItems(int size, Consumer<Collection<Object>> fill) {
      Collection<Object> made = empty(size);
      fill.accept(made);
      return made;
    }
  }

  /** Null if it is no collection, or one that cannot be made. */
  static Maker collection(Class<?> type) {
    if (type.isAssignableFrom(ArrayList.class)) {
      return ArrayList::new;
    } else if (type.isAssignableFrom(LinkedHashSet.class)) {
      return size -> new LinkedHashSet<>();
    } else if (type.isAssignableFrom(TreeSet.class)) {
      return size -> new TreeSet<>();
    } else if (type.isAssignableFrom(LinkedList.class)) {
      return size -> new LinkedList<>();
    } else if (Collection.class.isAssignableFrom(type)) {
      return size -> Containers.<Collection<Object>>make(type);
    }
    return null;
  }

  /** Null if it is no map, or one that cannot be made. */
  static Map<Object, Object> map(Class<?> type) {
    if (type.isAssignableFrom(LinkedHashMap.class)) {
      return new LinkedHashMap<>();
    } else if (type.isAssignableFrom(TreeMap.class)) {
      return new TreeMap<>();
    } else if (type.isAssignableFrom(ConcurrentHashMap.class)) {
      return new ConcurrentHashMap<>();
    }
    return make(type);
  }

  @SuppressWarnings("unchecked")
  private static <T> T make(Class<?> type) {
    try {
      if (!Modifier.isAbstract(type.getModifiers())) {
        return (T) type.getConstructor().newInstance();
      }
    } catch (ReflectiveOperationException none) {
      // told below
    }
    throw new org.sabir.SerializationException(
        "cannot make a " + type.getName() + ": it has no public constructor without arguments");
  }
}
