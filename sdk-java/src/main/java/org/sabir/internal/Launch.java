package org.sabir.internal;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.sabir.Language;
import org.sabir.SabirOptions;
import org.sabir.SabirSystemException;

/** Starts drivers, and says how their workers are started. */
public final class Launch {
  private static final int ZYGOTE = 1;
  private static final int EXEC = 2;
  private static final long PYTHON_TIMEOUT_S = 60;

  private Launch() {}

  /** How workers of one language are started; so many of them share a process. */
  private record Environment(Language language, int mode, int slots, List<String> command) {
    Environment(Language language, int mode, List<String> command) {
      this(language, mode, 1, command);
    }
  }

  /** What the interpreter says of itself: its command, and where it finds modules. */
  private record Python(Environment environment, List<?> path) {}

  static long driver(SabirOptions options) {
    Path natives = NativeLibrary.folder();
    List<Environment> environments = new ArrayList<>();
    environments.add(
        new Environment(Language.JAVA, EXEC, options.slotsPerJvm(), workerCommand(options.workerJvmOptions())));
    String cpp = options.cppWorker().isEmpty() ? natives.resolve("sabir-cpp-worker").toString() : options.cppWorker();
    environments.add(new Environment(Language.CPP, EXEC, List.of(cpp)));
    Python python = python(options.python().isEmpty() ? System.getenv("SABIR_PYTHON") : options.python());
    if (python != null) {
      environments.add(python.environment);
    }
    String[] texts = {options.address(), natives.resolve("sabird").toString(), options.sessionRoot(), options.jobName(),
        options.namespace(), jobConfig(options, python)};
    int[] languages = environments.stream().mapToInt(environment -> environment.language.code()).toArray();
    int[] modes = environments.stream().mapToInt(Environment::mode).toArray();
    int[] slots = environments.stream().mapToInt(Environment::slots).toArray();
    byte[][][] commands = environments.stream()
                              .map(environment -> utf8(environment.command.toArray(new String[0])))
                              .toArray(byte[][][] ::new);
    ResourceList resources = new ResourceList(options.resources());
    long client = Native.startDriver(utf8(texts), resources.names(), resources.amounts(), options.objectStoreBytes(),
        options.logToDriver(), Times.nanos(options.timeout()), languages, modes, slots, commands);
    SharedClasses.prepare();
    return client;
  }

  private static byte[][] utf8(String[] texts) {
    byte[][] bytes = new byte[texts.length][];
    for (int i = 0; i < texts.length; ++i) {
      bytes[i] = Texts.utf8(texts[i]);
    }
    return bytes;
  }

  /** The command of a worker's JVM: small, and quick to start. */
  public static List<String> workerCommand(List<String> more) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(SharedClasses.workerFlags());
    command.add("-XX:+UseSerialGC");
    command.add("-Xms8m");
    command.add("-XX:MinHeapFreeRatio=20");
    command.add("-XX:MaxHeapFreeRatio=40");
    command.add("-XX:-UsePerfData"); // no file per process
    command.add("-Djava.awt.headless=true");
    command.add("--enable-native-access=ALL-UNNAMED"); // later JDKs print a warning without it
    command.add("-Dsabir.native.dir=" + NativeLibrary.folder());
    command.addAll(more);
    command.add("-cp");
    command.add(ownClassPath());
    command.add("org.sabir.worker.Main");
    return command;
  }

  /** The jar or the folder in which this class lies. */
  static String ownClassPath() {
    try {
      return Path.of(Launch.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
    } catch (URISyntaxException | RuntimeException unusual) {
      throw new SabirSystemException("cannot tell from where Sabir's classes were loaded", unusual);
    }
  }

  private static String jobConfig(SabirOptions options, Python python) {
    Set<String> search = new LinkedHashSet<>(options.codeSearchPath());
    for (String entry : System.getProperty("java.class.path", "").split(File.pathSeparator)) {
      search.add(Path.of(entry.isEmpty() ? "." : entry).toAbsolutePath().toString());
    }
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("code_search_path", new ArrayList<>(search));
    config.put("cwd", Path.of("").toAbsolutePath().toString());
    if (python != null) {
      List<Object> path = new ArrayList<>(options.codeSearchPath());
      path.addAll(python.path);
      config.put("sys_path", path);
    }
    return Json.write(config);
  }

  private static Python python(String interpreter) {
    if (interpreter == null || interpreter.isEmpty()) {
      return null;
    }
    try {
      Path errors = Files.createTempFile("sabir-python", ".txt"); // warnings are no part of the answer
      try {
        Process process = new ProcessBuilder(interpreter, "-m", "sabir", "language-env")
                              .redirectInput(new File("/dev/null"))
                              .redirectError(errors.toFile())
                              .start();
        if (!process.waitFor(PYTHON_TIMEOUT_S, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new IOException("it did not answer within " + PYTHON_TIMEOUT_S + " s");
        }
        if (process.exitValue() != 0) {
          throw new IOException(Texts.ofUtf8(Files.readAllBytes(errors)).strip());
        }
        String output = Texts.ofUtf8(process.getInputStream().readAllBytes()).strip();
        if (Json.read(output) instanceof Map<?, ?> answer && answer.get("argv") instanceof List<?> command
            && answer.get("path") instanceof List<?> path) {
          List<String> words = command.stream().map(String.class ::cast).toList();
          return new Python(new Environment(Language.PYTHON, ZYGOTE, words), path);
        }
        throw new IOException("it answered " + output);
      } finally {
        Files.delete(errors);
      }
    } catch (IOException | RuntimeException failed) {
      throw new SabirSystemException("the interpreter " + interpreter
              + " cannot run workers: is the package sabir installed there? " + failed.getMessage(),
          failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new org.sabir.WaitInterruptedException("the thread was interrupted while " + interpreter + " started");
    }
  }
}
