package org.sabir;

/** A Java class by its name, where it is not on this program's class path. */
public final class JavaActorClass extends NamedActorClass {
  private JavaActorClass(String className) {
    super(Language.JAVA, className.substring(className.lastIndexOf('.') + 1), className);
  }

  public static JavaActorClass of(String className) {
    return new JavaActorClass(className);
  }
}
