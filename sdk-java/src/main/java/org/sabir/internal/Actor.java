package org.sabir.internal;

import org.sabir.ActorHandle;
import org.sabir.Language;

/** A handle of the core. */
public final class Actor<A> implements ActorHandle<A> {
  private final Client client;
  private final long pointer;
  private Info info;

  private record Info(String id, String name, String className, Language language) {}

  /** Owns the pointer. */
  Actor(Client client, long pointer) {
    this.client = client;
    this.pointer = pointer;
    Handles.releaseActorWith(this, pointer);
  }

  /** Valid while this object is reachable. */
  long pointer() {
    return pointer;
  }

  Client client() {
    return client;
  }

  /** For a call of this client of this process: see {@link Ref#in}. */
  Actor<A> in(Client wanted) {
    if (wanted == client || !wanted.isWorker()) {
      return this;
    }
    client.enter();
    try {
      return new Actor<>(wanted, wanted.adoptActor(pointer));
    } finally {
      client.leave();
      java.lang.ref.Reference.reachabilityFence(this);
    }
  }

  // The node is asked when somebody wants to know.
  private synchronized Info info() {
    if (info == null) {
      long[] language = new long[1];
      byte[][] texts = Native.actorInfo(pointer, language);
      info = new Info(Texts.ofUtf8(texts[0]), Texts.ofUtf8(texts[1]), Texts.ofUtf8(texts[2]), Language.of(language[0]));
    }
    return info;
  }

  @Override
  public String id() {
    return info().id;
  }

  @Override
  public Language language() {
    return info().language;
  }

  @Override
  public String className() {
    return info().className;
  }

  @Override
  public void kill(boolean noRestart) {
    Native.killActor(pointer, noRestart);
    java.lang.ref.Reference.reachabilityFence(this);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Actor<?> that && id().equals(that.id());
  }

  @Override
  public int hashCode() {
    return id().hashCode();
  }

  @Override
  public String toString() {
    return "ActorHandle(" + className() + ", " + id() + ")";
  }
}
