package org.sabir;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.internal.Calls;

/**
 * A call of a function that is about to be sent: options, then {@link #remote}. Not for several threads.
 *
 * @param <R> what the function returns
 */
public final class TaskCall<R> {
  private final Calls.Callee callee;
  private final Map<String, Object> named = new LinkedHashMap<>(0);
  private TaskOptions options = TaskOptions.DEFAULT;

  private TaskCall(Calls.Callee callee) {
    this.callee = callee;
  }

  static <R> TaskCall<R> of(RemoteCode code, Object... args) {
    return new TaskCall<>(Calls.Callee.ofTask(code, args));
  }

  static <R> TaskCall<R> of(NamedFunction<R> function, Object... args) {
    return new TaskCall<>(new Calls.Callee(function.key(), function.type(), args));
  }

  /** All options at once. */
  public TaskCall<R> options(TaskOptions given) {
    this.options = given;
    return this;
  }

  /** See {@link TaskOptions.Builder#numCpus}. */
  public TaskCall<R> numCpus(double amount) {
    return options(options.toBuilder().numCpus(amount).build());
  }

  /** See {@link TaskOptions.Builder#numGpus}. */
  public TaskCall<R> numGpus(double amount) {
    return options(options.toBuilder().numGpus(amount).build());
  }

  /** See {@link TaskOptions.Builder#resource}. */
  public TaskCall<R> resource(String name, double amount) {
    return options(options.toBuilder().resource(name, amount).build());
  }

  /** See {@link TaskOptions.Builder#maxRetries}. */
  public TaskCall<R> maxRetries(int retries) {
    return options(options.toBuilder().maxRetries(retries).build());
  }

  /** See {@link TaskOptions.Builder#retryExceptions(boolean)}. */
  public TaskCall<R> retryExceptions(boolean retry) {
    return options(options.toBuilder().retryExceptions(retry).build());
  }

  /** See {@link TaskOptions.Builder#retryExceptions(Class, Class[])}. */
  @SafeVarargs
  public final TaskCall<R> retryExceptions(Class<? extends Throwable> type, Class<? extends Throwable>... others) {
    return options(options.toBuilder().retryExceptions(type, others).build());
  }

  /** See {@link TaskOptions.Builder#retryExceptions(String, String[])}. */
  public TaskCall<R> retryExceptions(String type, String... others) {
    return options(options.toBuilder().retryExceptions(type, others).build());
  }

  /** See {@link TaskOptions.Builder#scheduling}. */
  public TaskCall<R> scheduling(Scheduling where) {
    return options(options.toBuilder().scheduling(where).build());
  }

  /** See {@link TaskOptions.Builder#runtimeEnv}. */
  public TaskCall<R> runtimeEnv(RuntimeEnv env) {
    return options(options.toBuilder().runtimeEnv(env).build());
  }

  /** See {@link TaskOptions.Builder#name}. */
  public TaskCall<R> name(String name) {
    return options(options.toBuilder().name(name).build());
  }

  /** An argument by its name, behind those by position: for functions of Python. */
  public TaskCall<R> keyword(String name, Object value) {
    named.put(name, value);
    return this;
  }

  /** Sends the call. Does not wait for it. */
  public ObjectRef<R> remote() {
    return Calls.submit(callee, named, options);
  }

  /** Sends the call; the function returns a List or an array of so many values, each of which gets a reference. */
  public List<ObjectRef<Object>> remoteMany(int count) {
    return Calls.submitMany(callee, named, options, count);
  }
}
