package org.sabir.internal;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.sabir.InvalidArgumentException;
import org.sabir.NotFoundException;
import org.sabir.SerializationException;

/** What a worker runs for a function: the method by its name, and by the arguments where the name is not enough. */
final class Resolver {
  private final String name; // for errors
  private final Class<?> type; // the receiver's, or the owner
  private final boolean hasReceiver; // known beside the arguments: an actor's instance
  private final List<Executable> candidates;

  private Resolver(String name, Class<?> type, boolean hasReceiver, List<Executable> candidates) {
    this.name = name;
    this.type = type;
    this.hasReceiver = hasReceiver;
    this.candidates = candidates;
  }

  /** Of a task or a class. */
  static Resolver of(int kind, String name, String code) {
    Code parsed = Code.parse(kind, code);
    return of(name, CodeLoader.find(parsed.owner(), name), parsed, false);
  }

  /** Of a method of this actor. */
  static Resolver ofMethod(String name, String code, Object instance) {
    return of(name, instance.getClass(), Code.parse(FunctionKey.METHOD, code), true);
  }

  private static Resolver of(String name, Class<?> type, Code code, boolean hasReceiver) {
    List<Executable> named;
    try {
      named = Executables.named(type, code.method());
    } catch (NoClassDefFoundError missing) { // in the signature of one of its methods
      throw CodeLoader.incomplete(type.getName(), name, missing);
    }
    if (named.isEmpty()) {
      throw new NotFoundException(name + ": the class " + type.getName() + " has no "
          + (code.method().equals(Target.CONSTRUCTOR) ? "constructor" : "method " + code.method()) + ". It has "
          + Executables.describeAll(type));
    }
    List<Executable> matching =
        code.descriptor().isEmpty() ? named : Executables.withDescriptor(named, code.descriptor());
    if (matching.isEmpty()) {
      throw new NotFoundException(name + ": the class " + type.getName() + " has no " + code.method()
          + " with the parameters " + code.descriptor() + ". It has " + Executables.describe(named)
          + ". Was the worker started with an older version of it?");
    }
    for (Executable executable : matching) {
      executable.setAccessible(true);
    }
    return new Resolver(name, type, hasReceiver, matching);
  }

  /** A call: the method, whose arguments have its types. */
  record Bound(Executable executable, Object receiver, Object[] args) {
    /** What it returned; InvocationTargetException has what it threw. */
    Object run() throws InvocationTargetException {
      try {
        if (executable instanceof Constructor<?> constructor) {
          return constructor.newInstance(args);
        }
        return ((Method) executable).invoke(receiver, args);
      } catch (IllegalAccessException | InstantiationException wrong) {
        throw new InvalidArgumentException("cannot call " + executable + ": " + wrong);
      }
    }
  }

  Bound bind(Object instance, Object[] args, Map<String, Object> named) {
    if (candidates.size() == 1) {
      return bind(candidates.get(0), instance, args, named);
    }
    List<Bound> fitting = new ArrayList<>();
    int best = Integer.MAX_VALUE;
    for (Executable candidate : candidates) {
      Bound bound;
      try {
        bound = bind(candidate, instance, args, named);
      } catch (SerializationException | InvalidArgumentException doesNotFit) {
        continue;
      }
      int distance = Overloads.distance(candidate, bound, args);
      if (distance < best) {
        fitting.clear();
        best = distance;
      }
      if (distance == best) {
        fitting.add(bound);
      }
    }
    if (fitting.size() == 1) {
      return fitting.get(0);
    }
    List<Executable> shown = fitting.isEmpty() ? candidates : fitting.stream().map(Bound::executable).toList();
    throw new InvalidArgumentException(name
        + (fitting.isEmpty() ? ": no method fits the arguments " : ": several methods fit the arguments ")
        + Overloads.describe(args) + ": " + Executables.describe(shown)
        + (fitting.isEmpty() ? "" : ". Name the parameters: method(descriptor)"));
  }

  private Bound bind(Executable executable, Object instance, Object[] given, Map<String, Object> named) {
    Object[] args = given;
    Object receiver = instance;
    boolean isInstanceMethod = executable instanceof Method && !Modifier.isStatic(executable.getModifiers());
    if (isInstanceMethod && !hasReceiver) {
      // A method of an object as a task: the object is the first argument.
      if (args.length == 0) {
        throw new InvalidArgumentException(name + ": " + executable.getName() + " is no static method, and there is no "
            + type.getSimpleName() + " to call it on");
      }
      receiver = Conversions.to(args[0], type, "argument 1 of " + name);
      args = java.util.Arrays.copyOfRange(args, 1, args.length);
    }
    if (!named.isEmpty()) {
      args = withNamed(executable, args, named);
    }
    Type[] types = executable.getGenericParameterTypes();
    if (types.length != executable.getParameterCount()) {
      types = executable.getParameterTypes(); // of an inner class: generic types leave out the outer instance
    }
    if (args.length != types.length) {
      throw new InvalidArgumentException(
          name + ": " + args.length + " arguments for " + Executables.describe(List.of(executable)));
    }
    Object[] converted = new Object[args.length];
    for (int i = 0; i < args.length; ++i) {
      converted[i] = Conversions.to(args[i], types[i], new Where(i, name));
    }
    return new Bound(executable, receiver, converted);
  }

  private record Where(int index, String name) {
    @Override
    public String toString() {
      return "argument " + (index + 1) + " of " + name;
    }
  }

  private Object[] withNamed(Executable executable, Object[] args, Map<String, Object> named) {
    Parameter[] parameters = executable.getParameters();
    Object[] all = java.util.Arrays.copyOf(args, args.length + named.size());
    int filled = args.length;
    for (int i = args.length; i < parameters.length && i < all.length; ++i) {
      if (!parameters[i].isNamePresent()) {
        throw new InvalidArgumentException(
            name + ": arguments by name need a class that was compiled with -parameters");
      }
      if (named.containsKey(parameters[i].getName())) {
        all[i] = named.get(parameters[i].getName());
        ++filled;
      }
    }
    if (filled != all.length) {
      throw new InvalidArgumentException(
          name + ": no parameters of the names " + named.keySet() + " in " + Executables.describe(List.of(executable)));
    }
    return all;
  }
}
