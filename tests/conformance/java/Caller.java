package conformance;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;

/**
 * Runs scenarios: {@code Caller CALLEE FOLDER FILE}, with the names of the scenarios in FILE, one a line. What it knows
 * and how each of them went is printed, a JSON object a line. The environment says where code is.
 */
public final class Caller {
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private Caller() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("join")) {
      StoreChecks.join(args[1], args[2]);
      return;
    }
    List<String> known = new ArrayList<>(Samples.ALL.keySet());
    known.addAll(Checks.ALL.keySet());
    StringJoiner names = new StringJoiner(", ", "{\"known\": [", "]}");
    known.forEach(name -> names.add(quoted(name)));
    OUT.println(names);
    SabirOptions options = SabirOptions.builder()
                               .address("local")
                               .numCpus(2)
                               .resource("slot", 1)
                               .objectStoreBytes(1 << 30)
                               .logToDriver(false)
                               .namespace("conformance")
                               .codeSearchPath(System.getenv("CONFORMANCE_PATH").split(":"))
                               .cppWorker(System.getenv("CONFORMANCE_CPP_WORKER"))
                               .python(System.getenv("CONFORMANCE_PYTHON"))
                               .build();
    try (Session session = Sabir.init(options)) {
      Pair pair = new Pair(new Peer(args[0]), new Peer("java"), Path.of(args[1]), session.path());
      for (String name : Files.readAllLines(Path.of(args[2]))) {
        OUT.println("{\"name\": " + quoted(name) + ", " + outcome(pair, name) + "}");
      }
    }
  }

  private static String outcome(Pair pair, String name) {
    try {
      if (Samples.ALL.containsKey(name)) {
        return "\"seen\": " + valueSeen(pair.callee(), name);
      }
      Checks.ALL.get(name).run(pair);
      return "\"passed\": true";
    } catch (Exception | AssertionError error) {
      StringBuilder detail = new StringBuilder(error.toString());
      for (StackTraceElement at : error.getStackTrace()) {
        if (at.getClassName().startsWith("conformance.")) {
          detail.append("\n  at ").append(at);
        }
      }
      return "\"passed\": false, \"detail\": " + quoted(detail.toString());
    }
  }

  /** The three ways of a value. */
  private static String valueSeen(Peer peer, String name) {
    Object value = Samples.make(name);
    return "{\"as an argument\": " + quoted(peer.call("describe", String.class, value))
        + ", \"there and back\": " + quoted(Described.text(peer.call("echo", Object.class, value)))
        + ", \"as a result\": " + quoted(Described.text(peer.call("make", Object.class, name))) + "}";
  }

  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c < 0x20) {
        json.append(String.format("\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }
}
