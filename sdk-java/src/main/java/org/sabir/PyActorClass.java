package org.sabir;

/** A Python class by its name. */
public final class PyActorClass extends NamedActorClass {
  private PyActorClass(String module, String name) {
    super(Language.PYTHON, name, "@" + module + ":" + name);
  }

  public static PyActorClass of(String module, String name) {
    return new PyActorClass(module, name);
  }
}
