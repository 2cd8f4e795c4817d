package org.sabir;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.internal.Calls;

/**
 * A call of an actor's method that is about to be sent. Not for several threads.
 *
 * @param <R> what the method returns
 */
public final class MethodCall<R> {
  private final ActorHandle<?> actor;
  private final Calls.Callee callee;
  private final Map<String, Object> named = new LinkedHashMap<>(0);

  private MethodCall(ActorHandle<?> actor, Calls.Callee callee) {
    this.actor = actor;
    this.callee = callee;
  }

  static <R> MethodCall<R> of(ActorHandle<?> actor, RemoteCode code, Object... args) {
    return new MethodCall<>(actor, Calls.Callee.ofMethod(code, args));
  }

  static <R> MethodCall<R> of(ActorHandle<?> actor, ActorMethod<R> method, Object... args) {
    return new MethodCall<>(actor, Calls.Callee.ofMethod(actor, method, args));
  }

  /** An argument by its name, behind those by position: for methods of Python. */
  public MethodCall<R> keyword(String name, Object value) {
    named.put(name, value);
    return this;
  }

  /** Sends the call. Does not wait for it. */
  public ObjectRef<R> remote() {
    return Calls.submit(actor, callee, named);
  }

  /** Sends the call; the method returns a List or an array of so many values, each of which gets a reference. */
  public List<ObjectRef<Object>> remoteMany(int count) {
    return Calls.submitMany(actor, callee, named, count);
  }
}
