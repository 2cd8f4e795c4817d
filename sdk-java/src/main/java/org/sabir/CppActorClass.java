package org.sabir;

/** A C++ class by the name under which its factory was registered: {@code "Counter::create"}. */
public final class CppActorClass extends NamedActorClass {
  private CppActorClass(String factory) {
    super(Language.CPP, factory, factory);
  }

  public static CppActorClass of(String factory) {
    return new CppActorClass(factory);
  }
}
