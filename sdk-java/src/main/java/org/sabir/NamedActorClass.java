package org.sabir;

import org.sabir.internal.FunctionKey;

/** A class of actors that is known by its name only: PyActorClass, CppActorClass, JavaActorClass. */
public abstract sealed class NamedActorClass permits PyActorClass, CppActorClass, JavaActorClass {
  private final FunctionKey key;

  NamedActorClass(Language language, String name, String code) {
    this.key = new FunctionKey(language, name, code);
  }

  final FunctionKey key() {
    return key;
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "(" + key.name() + ")";
  }
}
