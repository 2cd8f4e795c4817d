package org.sabir.internal;

/**
 * What a function's code names (docs/values.md).
 *
 * @param owner the class; "" for a method of an actor, which is looked for in the actor's class
 * @param method its name, Target.CONSTRUCTOR for a constructor
 * @param descriptor "(II)I" if the caller knew it, else ""
 */
record Code(String owner, String method, String descriptor) {
  static Code parse(int kind, String text) {
    int open = text.indexOf('(');
    String descriptor = open < 0 ? "" : text.substring(open);
    String path = open < 0 ? text : text.substring(0, open);
    int colons = path.indexOf("::");
    if (colons >= 0) {
      return new Code(path.substring(0, colons), path.substring(colons + 2), descriptor);
    }
    return kind == FunctionKey.METHOD ? new Code("", path, descriptor) : new Code(path, Target.CONSTRUCTOR, descriptor);
  }

  @Override
  public String toString() {
    return (owner.isEmpty() ? "" : owner + "::") + method + descriptor;
  }
}
