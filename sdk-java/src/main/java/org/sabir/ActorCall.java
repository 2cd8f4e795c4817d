package org.sabir;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sabir.internal.Calls;

/**
 * An actor that is about to be made: options, then {@link #remote}. Not for several threads.
 *
 * @param <A> its class
 */
public final class ActorCall<A> {
  private final Calls.Callee callee;
  private final Map<String, Object> named = new LinkedHashMap<>(0);
  private ActorOptions options = ActorOptions.DEFAULT;

  private ActorCall(Calls.Callee callee) {
    this.callee = callee;
  }

  static <A> ActorCall<A> of(RemoteCode code, Object... args) {
    return new ActorCall<>(Calls.Callee.ofClass(code, args));
  }

  static ActorCall<Object> of(NamedActorClass type, Object... args) {
    return new ActorCall<>(new Calls.Callee(type.key(), Object.class, args));
  }

  /** All options at once. */
  public ActorCall<A> options(ActorOptions given) {
    this.options = given;
    return this;
  }

  /** See {@link ActorOptions.Builder#scheduling}. */
  public ActorCall<A> scheduling(Scheduling where) {
    return options(options.toBuilder().scheduling(where).build());
  }

  /** See {@link ActorOptions.Builder#runtimeEnv}. */
  public ActorCall<A> runtimeEnv(RuntimeEnv env) {
    return options(options.toBuilder().runtimeEnv(env).build());
  }

  /** See {@link ActorOptions.Builder#name}. */
  public ActorCall<A> name(String name) {
    return options(options.toBuilder().name(name).build());
  }

  /** See {@link ActorOptions.Builder#numCpus}. */
  public ActorCall<A> numCpus(double amount) {
    return options(options.toBuilder().numCpus(amount).build());
  }

  /** See {@link ActorOptions.Builder#numGpus}. */
  public ActorCall<A> numGpus(double amount) {
    return options(options.toBuilder().numGpus(amount).build());
  }

  /** See {@link ActorOptions.Builder#resource}. */
  public ActorCall<A> resource(String name, double amount) {
    return options(options.toBuilder().resource(name, amount).build());
  }

  /** See {@link ActorOptions.Builder#maxRestarts}. */
  public ActorCall<A> maxRestarts(int restarts) {
    return options(options.toBuilder().maxRestarts(restarts).build());
  }

  /** See {@link ActorOptions.Builder#maxTaskRetries}. */
  public ActorCall<A> maxTaskRetries(int retries) {
    return options(options.toBuilder().maxTaskRetries(retries).build());
  }

  /** An argument by its name, behind those by position: for classes of Python. */
  public ActorCall<A> keyword(String name, Object value) {
    named.put(name, value);
    return this;
  }

  /** Has the actor made. Does not wait for it: an error of the constructor reaches the first call's get(). */
  public ActorHandle<A> remote() {
    return Calls.create(callee, named, options);
  }
}
