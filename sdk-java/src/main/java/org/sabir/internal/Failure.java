package org.sabir.internal;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import org.sabir.ErrorKind;
import org.sabir.Language;
import org.sabir.SabirException;

/** An exception of user code as the fields of an error value. Nothing that users' code does in it gets through. */
final class Failure {
  private static final int STACK_CHARACTERS = 64 << 10;
  private static final int NATIVE_BYTES = 1 << 20;
  private static final int CAUSES_MAX = 16;

  private Failure() {}

  /** message, type, stack, native form, cause: as Native.failWork wants them. */
  static byte[][] fields(Throwable error, String function) {
    byte[] cause = null;
    try {
      UserFrames.keep(error);
      cause = causeMap(error);
    } catch (Throwable ofUsersCode) {
      // getCause() of users' code threw; the stack may still show it
    }
    return new byte[][] {Texts.utf8((function.isEmpty() ? "" : function + ": ") + describe(error)),
        Texts.utf8(error.getClass().getName()), Texts.utf8(stack(error)), nativeForm(error), cause};
  }

  /** Type and message, as Throwable.toString has them, with the short name of the type. */
  static String describe(Throwable error) {
    String name = error.getClass().getSimpleName();
    if (name.isEmpty()) {
      name = error.getClass().getName();
    }
    String message;
    try {
      message = error.getMessage();
    } catch (Throwable broken) {
      message = "<no message: getMessage() threw " + broken.getClass().getName() + ">";
    }
    return message == null || message.isEmpty() ? name : name + ": " + message;
  }

  private static String stack(Throwable error) {
    String text;
    try {
      StringWriter out = new StringWriter();
      error.printStackTrace(new PrintWriter(out, true));
      text = out.toString();
    } catch (Throwable broken) {
      StringBuilder out = new StringBuilder(describe(error)).append('\n');
      for (StackTraceElement frame : frames(error)) {
        out.append("\tat ").append(frame).append('\n');
      }
      text = out.toString();
    }
    if (text.length() > STACK_CHARACTERS) {
      int half = STACK_CHARACTERS / 2;
      text = text.substring(0, half) + "\n... (shortened) ...\n" + text.substring(text.length() - half);
    }
    return text;
  }

  private static StackTraceElement[] frames(Throwable error) {
    try {
      return error.getStackTrace();
    } catch (Throwable broken) {
      return new StackTraceElement[0];
    }
  }

  // Only if it can be read again: an exception of a lambda's class, for example, cannot.
  private static byte[] nativeForm(Throwable error) {
    try {
      byte[] bytes = ValueWriter.nativeOrNull(error, NATIVE_BYTES);
      return bytes != null && ObjectStreams.read(Bytes.of(bytes).whole(), ReferenceTable.EMPTY) instanceof Throwable
          ? bytes
          : null;
    } catch (Throwable ofUsersCode) {
      return null;
    }
  }

  private static byte[] causeMap(Throwable error) {
    // It came from another task: its value has everything that is known of it.
    byte[] known = ErrorMaps.of(error);
    if (known != null) {
      return known;
    }
    Set<Throwable> met = Collections.newSetFromMap(new IdentityHashMap<>());
    met.add(error);
    Object cause = mapOf(error.getCause(), met, 0);
    return cause == null ? null : cause instanceof byte[] bytes ? bytes : FlexMapWriter.write(asMap(cause));
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> asMap(Object map) {
    return (Map<String, Object>) map;
  }

  // A map, or the bytes of one if that is all of it; null: no cause, or one that contains itself.
  private static Object mapOf(Throwable error, Set<Throwable> met, int depth) {
    if (error == null || depth == CAUSES_MAX || !met.add(error)) {
      return null;
    }
    byte[] known = ErrorMaps.of(error);
    if (known != null) {
      return depth == 0 ? known : FlexReader.read(Bytes.of(known).whole());
    }
    Map<String, Object> map = new HashMap<>();
    ErrorKind kind = error instanceof SabirException own ? own.kind() : ErrorKind.TASK_FAILED;
    map.put("kind", (long) kind.status());
    map.put("language", (long) Language.JAVA.code());
    map.put("message", describe(error));
    map.put("type", error.getClass().getName());
    map.put("stack", depth == 0 ? stack(error) : ""); // the outer one has it, too
    Object cause = mapOf(error.getCause(), met, depth + 1);
    if (cause != null) {
      map.put("cause", cause);
    }
    return map;
  }
}
