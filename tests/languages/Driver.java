package across;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.sabir.ActorHandle;
import org.sabir.CppFunction;
import org.sabir.NamedFunction;
import org.sabir.Sabir;
import org.sabir.SabirOptions;
import org.sabir.Session;
import org.sabir.TaskException;

/** The same as driver.cc: Driver SESSION_ROOT CODE_FOLDER chain|handles|own WORD... */
public final class Driver {
  private Driver() {}

  private static void check(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }

  private static void chain(String languages) {
    List<String> all = List.of(languages.split(","));
    NamedFunction<Object> first = Functions.functionIn(all.get(0), "chain", Object.class);
    System.out.println("chain " + languages);
    try {
      Sabir.task(first, all.subList(1, all.size())).remote().get();
      throw new AssertionError("no error");
    } catch (TaskException error) {
      for (Throwable at = error; at != null; at = at.getCause()) {
        if (at instanceof TaskException task) {
          System.out.println("level " + task.language() + " " + task.remoteType());
        }
      }
      StringWriter text = new StringWriter();
      error.printStackTrace(new PrintWriter(text, true));
      System.out.println("text " + text + "\nend");
    }
  }

  private static void handles(List<String> languages) {
    for (String language : languages) {
      String name = "counter in " + language;
      ActorHandle<Object> made = Sabir.actor(Functions.counterIn(language), 100).name(name).remote();
      check(101, made.task(Functions.ADD, 1).remote().get());
      ActorHandle<?> found = Sabir.getActor(name).orElseThrow();
      check(102, found.task(Functions.ADD, 1).remote().get());
      check(made, found);
      check(made.language(), found.language());
      int expected = 102;
      for (String caller : languages) {
        check(++expected, Sabir.task(Functions.functionIn(caller, "add_to", Integer.class), made, 1).remote().get());
        check(++expected,
            Sabir.task(Functions.functionIn(caller, "add_to_named", Integer.class), name, 1).remote().get());
        List<?> back =
            (List<?>) Sabir.task(Functions.functionIn(caller, "same", Object.class), List.of(made)).remote().get();
        check(++expected, ((ActorHandle<?>) back.get(0)).task(Functions.ADD, 1).remote().get());
        System.out.println(caller + " calls " + language);
      }
      made.kill();
    }
  }

  public static void main(String[] args) {
    SabirOptions.Builder options = SabirOptions.builder()
                                       .address("local")
                                       .numCpus(2)
                                       .sessionRoot(args[0])
                                       .codeSearchPath(args[1])
                                       .workerJvmOptions("-Xmx64m")
                                       .logToDriver(false);
    List<String> words = List.of(args).subList(3, args.length);
    if (args[2].equals("own")) {
      options.cppWorker(words.get(0));
    }
    try (Session session = Sabir.init(options.build())) {
      if (args[2].equals("own")) {
        System.out.println(Sabir.task(CppFunction.of("own", Integer.class), 41).remote().get());
      } else if (args[2].equals("handles")) {
        handles(words);
      } else {
        words.forEach(Driver::chain);
      }
    }
  }
}
