package org.sabir.internal;

import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Methods and constructors by name, with those of base classes and interfaces. */
final class Executables {
  private Executables() {}

  /** All of that name, the most derived first; of equal parameter types only that one. */
  static List<Executable> named(Class<?> type, String name) {
    if (name.equals(Target.CONSTRUCTOR)) {
      return List.of(type.getDeclaredConstructors());
    }
    Map<String, Executable> found = new LinkedHashMap<>();
    collect(type, name, found);
    return new ArrayList<>(found.values());
  }

  private static void collect(Class<?> type, String name, Map<String, Executable> found) {
    if (type == null) {
      return;
    }
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals(name) && !method.isBridge()) {
        found.putIfAbsent(parameters(method), method);
      }
    }
    collect(type.getSuperclass(), name, found);
    for (Class<?> base : type.getInterfaces()) {
      collect(base, name, found);
    }
  }

  private static String parameters(Executable executable) {
    return MethodType.methodType(void.class, executable.getParameterTypes()).descriptorString();
  }

  static String descriptor(Executable executable) {
    Class<?> result = executable instanceof Method method ? method.getReturnType() : void.class;
    return MethodType.methodType(result, executable.getParameterTypes()).descriptorString();
  }

  /** Those with the descriptor's parameters; the result may be a more special one than the caller knew. */
  static List<Executable> withDescriptor(Collection<Executable> candidates, String descriptor) {
    String parameters = descriptor.substring(0, descriptor.indexOf(')') + 1);
    return candidates.stream().filter(candidate -> parameters(candidate).startsWith(parameters)).toList();
  }

  /** For errors: "add(int), add(long, String)". */
  static String describe(Collection<? extends Executable> executables) {
    TreeSet<String> texts = new TreeSet<>();
    for (Executable executable : executables) {
      StringBuilder text = new StringBuilder(
          executable instanceof Constructor ? executable.getDeclaringClass().getSimpleName() : executable.getName());
      String before = "(";
      for (Class<?> parameter : executable.getParameterTypes()) {
        text.append(before).append(parameter.getSimpleName());
        before = ", ";
      }
      texts.add(text.append(before.equals("(") ? "()" : ")").toString());
    }
    return String.join(", ", texts);
  }

  /** For errors: the methods that a class has. */
  static String describeAll(Class<?> type) {
    List<Executable> all = new ArrayList<>();
    for (Method method : type.getDeclaredMethods()) {
      if (!method.isSynthetic()) {
        all.add(method);
      }
    }
    return all.isEmpty() ? "no methods" : describe(all);
  }
}
