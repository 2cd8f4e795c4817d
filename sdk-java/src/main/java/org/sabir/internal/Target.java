package org.sabir.internal;

import java.lang.reflect.Type;
import org.sabir.Language;

/**
 * What a method reference names.
 *
 * @param owner the class, with dots
 * @param method its name, "&lt;init&gt;" for a constructor
 * @param result the type of what it returns
 * @param captured leading arguments that the reference holds already
 */
record Target(String owner, String method, String descriptor, Type result, Object[] captured) {
  static final String CONSTRUCTOR = "<init>";

  FunctionKey asTask() {
    return new FunctionKey(Language.JAVA, simpleOwner() + "." + method, owner + "::" + method + descriptor);
  }

  /** A constructor, or a static method that makes the actor. */
  FunctionKey asClass() {
    String code = method.equals(CONSTRUCTOR) ? owner + descriptor : owner + "::" + method + descriptor;
    return new FunctionKey(Language.JAVA, simpleOwner(), code);
  }

  FunctionKey asMethod() {
    return new FunctionKey(Language.JAVA, simpleOwner() + "." + method, method + descriptor);
  }

  private String simpleOwner() {
    return owner.substring(owner.lastIndexOf('.') + 1);
  }
}
