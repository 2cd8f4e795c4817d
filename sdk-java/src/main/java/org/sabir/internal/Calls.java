package org.sabir.internal;

import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.sabir.ActorHandle;
import org.sabir.ActorMethod;
import org.sabir.ActorOptions;
import org.sabir.Arg;
import org.sabir.InvalidArgumentException;
import org.sabir.ObjectRef;
import org.sabir.RemoteCode;
import org.sabir.TaskOptions;

/** Sends calls. */
public final class Calls {
  private Calls() {}

  /** What is called, with what, and the type of what comes back. */
  public record Callee(FunctionKey key, Type result, Object[] args) {
    public static Callee ofTask(RemoteCode code, Object[] args) {
      Target target = Targets.of(code);
      return new Callee(target.asTask(), target.result(), Targets.withCaptured(target, args));
    }

    public static Callee ofClass(RemoteCode code, Object[] args) {
      Target target = Targets.of(code);
      return new Callee(target.asClass(), target.result(), Targets.withCaptured(target, args));
    }

    public static Callee ofMethod(RemoteCode code, Object[] args) {
      Target target = Targets.of(code);
      if (target.captured().length > 0 || target.method().startsWith("lambda$")) {
        throw new InvalidArgumentException(
            "an actor's call wants a reference of a method, like Counter::add: a lambda does not name one");
      }
      return new Callee(target.asMethod(), target.result(), args);
    }

    public static Callee ofMethod(ActorHandle<?> actor, ActorMethod<?> method, Object[] args) {
      return new Callee(new FunctionKey(actor.language(), method.name(), method.name()), method.type(), args);
    }
  }

  private static void write(CallBuffer buffer, Callee callee, Map<String, Object> named) {
    Object[] args = callee.args;
    for (int i = 0; i < args.length; ++i) {
      // Only where something goes wrong is the text wanted.
      buffer.argument(unwrapped(args[i]), "", callee.key, i);
    }
    for (Map.Entry<String, Object> entry : named.entrySet()) {
      buffer.argument(unwrapped(entry.getValue()), entry.getKey(), callee.key, -1);
    }
  }

  private static Object unwrapped(Object argument) {
    return argument instanceof Arg.Value<?> wrapped ? wrapped.value() : argument;
  }

  public static <R> ObjectRef<R> submit(Callee callee, Map<String, Object> named, TaskOptions options) {
    Client client = Runtimes.current();
    Client.Handle task = client.task(key(callee, options), settings(options, 1));
    CallBuffer buffer = CallBuffer.take(client);
    try {
      write(buffer, callee, named);
      long ref = Native.submitTask(task.pointer(), callee.args.length + named.size(), buffer.bytes.bytes(),
          buffer.bytes.size(), buffer.words, buffer.wordCount);
      return new Ref<>(client, ref, callee.result);
    } finally {
      buffer.done();
      java.lang.ref.Reference.reachabilityFence(task);
    }
  }

  public static List<ObjectRef<Object>> submitMany(
      Callee callee, Map<String, Object> named, TaskOptions options, int count) {
    Client client = Runtimes.current();
    Client.Handle task = client.task(key(callee, options), settings(options, checkedCount(count)));
    CallBuffer buffer = CallBuffer.take(client);
    try {
      write(buffer, callee, named);
      return references(client,
          Native.submitTaskMany(task.pointer(), count, callee.args.length + named.size(), buffer.bytes.bytes(),
              buffer.bytes.size(), buffer.words, buffer.wordCount));
    } finally {
      buffer.done();
      java.lang.ref.Reference.reachabilityFence(task);
    }
  }

  public static <R> ObjectRef<R> submit(ActorHandle<?> handle, Callee callee, Map<String, Object> named) {
    Actor<?> actor = (Actor<?>) handle;
    Client.Handle method = actor.client().function(FunctionKey.METHOD, callee.key);
    CallBuffer buffer = CallBuffer.take(actor.client());
    try {
      write(buffer, callee, named);
      long ref = Native.submitMethod(actor.pointer(), method.pointer(), callee.args.length + named.size(),
          buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount);
      return new Ref<>(actor.client(), ref, callee.result);
    } finally {
      buffer.done();
      java.lang.ref.Reference.reachabilityFence(method);
      java.lang.ref.Reference.reachabilityFence(actor);
    }
  }

  public static List<ObjectRef<Object>> submitMany(
      ActorHandle<?> handle, Callee callee, Map<String, Object> named, int count) {
    Actor<?> actor = (Actor<?>) handle;
    checkedCount(count);
    Client.Handle method = actor.client().function(FunctionKey.METHOD, callee.key);
    CallBuffer buffer = CallBuffer.take(actor.client());
    try {
      write(buffer, callee, named);
      return references(actor.client(),
          Native.submitMethodMany(actor.pointer(), method.pointer(), count, callee.args.length + named.size(),
              buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount));
    } finally {
      buffer.done();
      java.lang.ref.Reference.reachabilityFence(method);
      java.lang.ref.Reference.reachabilityFence(actor);
    }
  }

  public static <A> ActorHandle<A> create(Callee callee, Map<String, Object> named, ActorOptions options) {
    Client client = Runtimes.current();
    Client.Handle type = client.function(FunctionKey.CLASS, EnvCode.in(options.runtimeEnv(), callee.key));
    ResourceList resources = new ResourceList(options.resources());
    long[] numbers = {options.maxRestarts(), options.maxTaskRetries(), options.maxConcurrency(),
        options.detached() ? 1 : 0, options.getIfExists() ? 1 : 0};
    byte[][] scheduling = SchedulingTexts.of(options.scheduling());
    byte[][] texts = Arrays.copyOf(
        new byte[][] {Texts.utf8(options.name()), Texts.utf8(options.namespace()),
            Texts.utf8(ClassInfo.json(callee.result == Object.class ? null : Conversions.rawClass(callee.result)))},
        3 + scheduling.length);
    System.arraycopy(scheduling, 0, texts, 3, scheduling.length);
    CallBuffer buffer = CallBuffer.take(client);
    long entered = client.enter();
    try {
      write(buffer, callee, named);
      long actor = Native.createActor(entered, type.pointer(), resources.names(), resources.amounts(), numbers, texts,
          callee.args.length + named.size(), buffer.bytes.bytes(), buffer.bytes.size(), buffer.words, buffer.wordCount);
      return new Actor<>(client, actor);
    } finally {
      client.leave();
      buffer.done();
      java.lang.ref.Reference.reachabilityFence(type);
    }
  }

  private static FunctionKey key(Callee callee, TaskOptions options) {
    return EnvCode.in(options.runtimeEnv(), options.retryExceptionTypes(), callee.key);
  }

  private static TaskSettings settings(TaskOptions options, int numReturns) {
    if (options == TaskOptions.DEFAULT && numReturns == 1) {
      return DEFAULT_SETTINGS;
    }
    return new TaskSettings(new ResourceList(options.resources()), numReturns, options.maxRetries(),
        options.retryExceptions(), options.name(), options.scheduling());
  }

  private static final TaskSettings DEFAULT_SETTINGS =
      new TaskSettings(new ResourceList(TaskOptions.DEFAULT.resources()), 1, TaskOptions.DEFAULT.maxRetries(),
          TaskOptions.DEFAULT.retryExceptions(), TaskOptions.DEFAULT.name(), TaskOptions.DEFAULT.scheduling());

  private static int checkedCount(int count) {
    if (count < 0 || count > 65535) {
      throw new InvalidArgumentException("a call of " + count + " results: 0 to 65535");
    }
    return count;
  }

  private static List<ObjectRef<Object>> references(Client client, long[] pointers) {
    List<ObjectRef<Object>> refs = new ArrayList<>(pointers.length);
    for (long pointer : pointers) {
      refs.add(new Ref<>(client, pointer, Object.class));
    }
    return refs;
  }
}
