import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Writes what differs only in the number of arguments: functional interfaces, and the overloads that take them. */
final class GenerateCalls {
  private static final int ARGUMENTS_MAX = 10;
  private static final int MIXED_MAX = 4; // up to here each argument may be a value or a reference

  private static Path folder;

  public static void main(String[] args) throws IOException {
    folder = Files.createDirectories(Path.of(args[0], "org", "sabir"));
    for (int count = 0; count <= ARGUMENTS_MAX + 1; ++count) {
      functionalInterface(count, true);
      functionalInterface(count, false);
    }
    taskCalls();
    actorCalls();
  }

  private static String join(int count, Function<Integer, String> item) {
    StringBuilder out = new StringBuilder();
    for (int i = 1; i <= count; ++i) {
      out.append(i > 1 ? ", " : "").append(item.apply(i));
    }
    return out.toString();
  }

  private static void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name + ".java"), "package org.sabir;\n\n" + text);
  }

  private static String angles(String types) {
    return types.isEmpty() ? "" : "<" + types + ">";
  }

  private static void functionalInterface(int count, boolean hasResult) throws IOException {
    String name = (hasResult ? "RemoteFunction" : "RemoteAction") + count;
    String types = join(count, i -> "T" + i);
    String all = hasResult ? types.isEmpty() ? "R" : types + ", R" : types;
    write(name,
        "/** A method of " + count + " arguments that returns " + (hasResult ? "a value" : "nothing") + ". */\n"
            + "@FunctionalInterface\npublic interface " + name + angles(all) + " extends RemoteCode {\n"
            + "  " + (hasResult ? "R" : "void") + " apply(" + join(count, i -> "T" + i + " argument" + i)
            + ") throws Exception;\n}\n");
  }

  /** Which arguments are references: all mixtures up to MIXED_MAX, else all values or all Args. */
  private static List<String[]> mixtures(int count) {
    List<String[]> found = new ArrayList<>();
    int mixtures = count <= MIXED_MAX ? 1 << count : 2;
    for (int mixture = 0; mixture < mixtures; ++mixture) {
      String[] types = new String[count];
      for (int i = 0; i < count; ++i) {
        String type = "T" + (i + 1);
        types[i] = count > MIXED_MAX  ? mixture == 0 ? type : "Arg<" + type + ">"
            : (mixture >> i & 1) == 0 ? type
                                      : "ObjectRef<" + type + ">";
      }
      found.add(types);
    }
    return found;
  }

  private static String parameters(String[] types) {
    return join(types.length, i -> types[i - 1] + " argument" + i);
  }

  private static String arguments(int count) {
    return count == 0 ? "" : ", " + join(count, i -> "(Object) argument" + i);
  }

  private static String method(
      String doc, String typeVariables, String result, String name, String code, String[] types, String body) {
    String rest = parameters(types);
    return "\n  /** " + doc + " */\n  public " + typeVariables + result + " " + name + "(" + code + " code"
        + (rest.isEmpty() ? "" : ", " + rest) + ") {\n    return " + body + ";\n  }\n";
  }

  private static void taskCalls() throws IOException {
    StringBuilder out = new StringBuilder(
        "/** The part of Sabir that differs only in the number of arguments. */\nabstract class SabirCalls {\n"
        + "  SabirCalls() {}\n");
    for (int count = 0; count <= ARGUMENTS_MAX; ++count) {
      String types = join(count, i -> "T" + i);
      String withResult = types.isEmpty() ? "R" : types + ", R";
      String withActor = types.isEmpty() ? "A" : types + ", A";
      for (String[] mixture : mixtures(count)) {
        String call = "(code" + arguments(count) + ")";
        out.append(method("A call of a method that is not an actor's; {@code remote()} sends it.",
            "static <" + withResult + "> ", "TaskCall<R>", "task", "RemoteFunction" + count + "<" + withResult + ">",
            mixture, "TaskCall.of" + call));
        out.append(method("A call of a method that returns nothing; {@code remote()} sends it.",
            "static " + (types.isEmpty() ? "" : "<" + types + "> "), "TaskCall<Void>", "action",
            "RemoteAction" + count + angles(types), mixture, "TaskCall.of" + call));
        out.append(method(
            "An actor by its constructor, {@code Counter::new}, or a method that makes it; {@code remote()} has it made.",
            "static <" + withActor + "> ", "ActorCall<A>", "actor", "RemoteFunction" + count + "<" + withActor + ">",
            mixture, "ActorCall.of" + call));
      }
    }
    write("SabirCalls", out.append("}\n").toString());
  }

  private static void actorCalls() throws IOException {
    StringBuilder out =
        new StringBuilder("/**\n * The part of ActorHandle that differs only in the number of arguments.\n *\n"
            + " * @param <A> the actor's class\n */\npublic interface ActorCalls<A> {\n");
    for (int count = 0; count <= ARGUMENTS_MAX; ++count) {
      String types = join(count, i -> "T" + i);
      String rest = types.isEmpty() ? "" : ", " + types;
      for (String[] mixture : mixtures(count)) {
        String call = "MethodCall.of((ActorHandle<?>) this, code" + arguments(count) + ")";
        out.append(method("A call of a method, {@code Counter::add}; {@code remote()} sends it.",
            "default <" + (types.isEmpty() ? "R" : types + ", R") + "> ", "MethodCall<R>", "task",
            "RemoteFunction" + (count + 1) + "<A" + rest + ", R>", mixture, call));
        out.append(method("A call of a method that returns nothing; {@code remote()} sends it.",
            "default " + (types.isEmpty() ? "" : "<" + types + "> "), "MethodCall<Void>", "action",
            "RemoteAction" + (count + 1) + "<A" + rest + ">", mixture, call));
      }
    }
    write("ActorCalls", out.append("}\n").toString());
  }
}
