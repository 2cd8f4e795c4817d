package org.sabir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.internal.ResourceList;

/** Options of init(). Immutable; see {@link #builder}. */
public final class SabirOptions {
  /** A running session of this user, else a new one. */
  public static final SabirOptions DEFAULT = builder().build();

  private static final int SLOTS_MAX = 64;

  private final Builder values;

  private SabirOptions(Builder builder) {
    this.values = builder;
  }

  public static Builder builder() {
    return new Builder();
  }

  public String address() {
    return values.address;
  }

  public Map<String, Double> resources() {
    return Map.copyOf(values.resources);
  }

  public long objectStoreBytes() {
    return values.objectStoreBytes;
  }

  public String namespace() {
    return values.namespace;
  }

  public String jobName() {
    return values.jobName;
  }

  public boolean logToDriver() {
    return values.logToDriver;
  }

  public Duration timeout() {
    return values.timeout;
  }

  public List<String> codeSearchPath() {
    return List.copyOf(values.codeSearchPath);
  }

  public List<String> workerJvmOptions() {
    return List.copyOf(values.workerJvmOptions);
  }

  public int slotsPerJvm() {
    return values.slotsPerJvm;
  }

  public String python() {
    return values.python;
  }

  public String cppWorker() {
    return values.cppWorker;
  }

  public String sessionRoot() {
    return values.sessionRoot;
  }

  /** Collects options. */
  public static final class Builder {
    private String address = "";
    private final Map<String, Double> resources = new LinkedHashMap<>();
    private long objectStoreBytes;
    private String namespace = "";
    private String jobName = "java";
    private boolean logToDriver = true;
    private Duration timeout = Duration.ofSeconds(60);
    private final List<String> codeSearchPath = new ArrayList<>();
    private final List<String> workerJvmOptions = new ArrayList<>();
    private int slotsPerJvm = 1;
    private String python = "";
    private String cppWorker = "";
    private String sessionRoot = "";

    private Builder() {}

    /**
     * "": SABIR_ADDRESS, else a running session of this user, else a new one. "local": a new one. "auto": a running
     * one, NotFoundException if there is none. "sabir://...", what {@code sabir start --head} has printed: this program
     * visits that cluster, by a node of its own that runs nothing and ends with it. Otherwise the path of a session.
     */
    public Builder address(String text) {
      this.address = text;
      return this;
    }

    /** CPUs of a new session's node; default: the machine's. */
    public Builder numCpus(double amount) {
      return resource("CPU", amount);
    }

    /** GPUs of a new session's node; default 0. */
    public Builder numGpus(double amount) {
      return resource("GPU", amount);
    }

    /** Another resource of a new session's node. */
    public Builder resource(String name, double amount) {
      resources.put(name, ResourceList.checked(name, amount));
      return this;
    }

    /** Room for objects in a new session's node; default 30 % of the memory. */
    public Builder objectStoreBytes(long bytes) {
      this.objectStoreBytes = bytes;
      return this;
    }

    /** Of actor names; default: one of this job's own. */
    public Builder namespace(String text) {
      this.namespace = text;
      return this;
    }

    /** For people. */
    public Builder jobName(String text) {
      this.jobName = text;
      return this;
    }

    /** Whether to print what workers write; default true. */
    public Builder logToDriver(boolean print) {
      this.logToDriver = print;
      return this;
    }

    /** For the whole start; default a minute. */
    public Builder timeout(Duration duration) {
      this.timeout = duration;
      return this;
    }

    /**
     * Where workers look for code beside this program's class path: folders, jars, shared libraries, folders of Python
     * modules. InvalidArgumentException if there is nothing at one of them.
     */
    public Builder codeSearchPath(String... paths) {
      for (String path : paths) {
        codeSearchPath.add(RuntimeEnv.existing(path));
      }
      return this;
    }

    /** More options for the JVMs of workers, like -Xmx2g. */
    public Builder workerJvmOptions(String... options) {
      workerJvmOptions.addAll(List.of(options));
      return this;
    }

    /**
     * So many Java tasks of this job run in one JVM at a time, in threads of their own; 1 to 64, default 1. More than
     * one saves memory; the tasks share static fields, and one that ends its JVM ends the others' with it. Actors have
     * a JVM each.
     */
    public Builder slotsPerJvm(int slots) {
      if (slots < 1 || slots > SLOTS_MAX) {
        throw new InvalidArgumentException(slots + " slots per JVM: 1 to " + SLOTS_MAX);
      }
      this.slotsPerJvm = slots;
      return this;
    }

    /** The Python with the package sabir that runs Python's tasks; default: SABIR_PYTHON, else none. */
    public Builder python(String interpreter) {
      this.python = interpreter;
      return this;
    }

    /**
     * The executable of C++'s workers: a program that calls sabir::init() before anything else; default: one that comes
     * with the jar and has the functions of the shared libraries on the code path.
     */
    public Builder cppWorker(String path) {
      this.cppWorker = Path.of(path).toAbsolutePath().toString();
      return this;
    }

    /** Where new sessions have their folders; default: $XDG_RUNTIME_DIR/sabir. */
    public Builder sessionRoot(String path) {
      this.sessionRoot = path;
      return this;
    }

    public SabirOptions build() {
      Builder copy = new Builder();
      copy.address = address;
      copy.resources.putAll(resources);
      copy.objectStoreBytes = objectStoreBytes;
      copy.namespace = namespace;
      copy.jobName = jobName;
      copy.logToDriver = logToDriver;
      copy.timeout = timeout;
      copy.codeSearchPath.addAll(codeSearchPath);
      copy.workerJvmOptions.addAll(workerJvmOptions);
      copy.slotsPerJvm = slotsPerJvm;
      copy.python = python;
      copy.cppWorker = cppWorker;
      copy.sessionRoot = sessionRoot;
      return new SabirOptions(copy);
    }
  }
}
