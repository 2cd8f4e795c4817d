package org.sabir.internal;

import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodType;
import java.lang.invoke.SerializedLambda;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import org.sabir.InvalidArgumentException;
import org.sabir.RemoteCode;

/** Finds what a method reference or a lambda names. Each place in a program is looked at once. */
final class Targets {
  // One class per place in the program; a lambda that captures values holds others each time.
  private static final ClassValue<Target[]> KNOWN = new ClassValue<>() {
    @Override
    protected Target[] computeValue(Class<?> type) {
      return new Target[1];
    }
  };

  private Targets() {}

  static Target of(RemoteCode code) {
    if (code == null) {
      throw new InvalidArgumentException("null instead of a method reference");
    }
    Target[] known = KNOWN.get(code.getClass());
    if (known[0] != null) {
      return known[0];
    }
    SerializedLambda lambda = lambdaOf(code);
    if (lambda == null) {
      // A class that implements the interface by hand: it travels as an object, and its method is called.
      return ofObject(code);
    }
    Object[] captured = new Object[lambda.getCapturedArgCount()];
    for (int i = 0; i < captured.length; ++i) {
      captured[i] = lambda.getCapturedArg(i);
    }
    String owner = lambda.getImplClass().replace('/', '.');
    Target target = new Target(owner, lambda.getImplMethodName(), lambda.getImplMethodSignature(),
        resultType(code.getClass().getClassLoader(), owner, lambda), captured);
    if (captured.length == 0) {
      known[0] = target;
    }
    return target;
  }

  private static Target ofObject(RemoteCode code) {
    for (Method method : code.getClass().getMethods()) {
      if (method.getName().equals("apply") && !method.isBridge()) {
        String descriptor =
            MethodType.methodType(method.getReturnType(), method.getParameterTypes()).descriptorString();
        return new Target(
            code.getClass().getName(), "apply", descriptor, method.getGenericReturnType(), new Object[] {code});
      }
    }
    throw new InvalidArgumentException(code.getClass().getName() + " has no public method apply");
  }

  private static SerializedLambda lambdaOf(RemoteCode code) {
    try {
      Method replace = code.getClass().getDeclaredMethod("writeReplace");
      replace.setAccessible(true);
      return replace.invoke(code) instanceof SerializedLambda lambda ? lambda : null;
    } catch (NoSuchMethodException none) {
      return null;
    } catch (ReflectiveOperationException | RuntimeException closedModule) {
      return Capture.of(code);
    }
  }

  /** Where the program's module is closed, serialization may still ask. */
  private static final class Capture extends ObjectOutputStream {
    private SerializedLambda found;

    private Capture() throws IOException {
      super(OutputStream.nullOutputStream());
      enableReplaceObject(true);
    }

    static SerializedLambda of(RemoteCode code) {
      try (Capture capture = new Capture()) {
        capture.writeObject(code);
        return capture.found;
      } catch (IOException unsuitable) {
        return null;
      }
    }

    @Override
    protected Object replaceObject(Object object) {
      if (object instanceof SerializedLambda lambda && found == null) {
        found = lambda;
        return null;
      }
      return object;
    }
  }

  private static Type resultType(ClassLoader loader, String owner, SerializedLambda lambda) {
    // What the compiler made of the type variables: for `<T> T same(T)` with a String it is String.
    Class<?> instantiated =
        MethodType.fromMethodDescriptorString(lambda.getInstantiatedMethodType(), loader).returnType();
    try {
      Class<?> type = Class.forName(owner, false, loader);
      for (Executable candidate : Executables.named(type, lambda.getImplMethodName())) {
        if (Executables.descriptor(candidate).equals(lambda.getImplMethodSignature())) {
          if (candidate instanceof Constructor) {
            return type;
          }
          Type declared = ((Method) candidate).getGenericReturnType();
          return isConcrete(declared) ? declared : instantiated;
        }
      }
    } catch (ClassNotFoundException | LinkageError notHere) {
      // the worker will say so
    }
    return instantiated;
  }

  private static boolean isConcrete(Type type) {
    if (type instanceof TypeVariable || type instanceof WildcardType) {
      return false;
    }
    if (type instanceof ParameterizedType parameterized) {
      for (Type argument : parameterized.getActualTypeArguments()) {
        if (argument instanceof TypeVariable) {
          return false;
        }
      }
    }
    return true;
  }

  static Object[] withCaptured(Target target, Object[] args) {
    if (target.captured().length == 0) {
      return args;
    }
    Object[] all = java.util.Arrays.copyOf(target.captured(), target.captured().length + args.length);
    for (int i = 0; i < target.captured().length; ++i) {
      all[i] = Captured.of(all[i]);
    }
    System.arraycopy(args, 0, all, target.captured().length, args.length);
    return all;
  }
}
