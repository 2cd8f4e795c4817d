package org.sabir;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sabir.internal.ResourceList;

/** Options of an actor. Immutable; see {@link #builder}. */
public final class ActorOptions {
  /** No name, no restarts, no resources held while it lives. */
  public static final ActorOptions DEFAULT = builder().build();

  private final Builder values;
  private final Map<String, Double> resources;

  private ActorOptions(Builder builder) {
    this.values = new Builder(builder);
    this.resources = Map.copyOf(builder.resources);
  }

  public static Builder builder() {
    return new Builder();
  }

  /** A builder with these options. */
  public Builder toBuilder() {
    return new Builder(values);
  }

  public Map<String, Double> resources() {
    return resources;
  }

  public String name() {
    return values.name;
  }

  public String namespace() {
    return values.namespace;
  }

  public int maxRestarts() {
    return values.maxRestarts;
  }

  public int maxTaskRetries() {
    return values.maxTaskRetries;
  }

  public int maxConcurrency() {
    return values.maxConcurrency;
  }

  public boolean detached() {
    return values.detached;
  }

  public boolean getIfExists() {
    return values.getIfExists;
  }

  public RuntimeEnv runtimeEnv() {
    return values.runtimeEnv;
  }

  /** Collects options. */
  public static final class Builder {
    private final Map<String, Double> resources = new LinkedHashMap<>();
    private String name = "";
    private String namespace = "";
    private int maxRestarts;
    private int maxTaskRetries;
    private int maxConcurrency = 1;
    private boolean detached;
    private boolean getIfExists;
    private RuntimeEnv runtimeEnv = RuntimeEnv.NONE;

    private Builder() {}

    private Builder(Builder other) {
      resources.putAll(other.resources);
      name = other.name;
      namespace = other.namespace;
      maxRestarts = other.maxRestarts;
      maxTaskRetries = other.maxTaskRetries;
      maxConcurrency = other.maxConcurrency;
      detached = other.detached;
      getIfExists = other.getIfExists;
      runtimeEnv = other.runtimeEnv;
    }

    /** The name by which {@link Sabir#getActor} finds it. */
    public Builder name(String text) {
      this.name = text;
      return this;
    }

    /** Of the name; default: the job's. */
    public Builder namespace(String text) {
      this.namespace = text;
      return this;
    }

    /** CPUs that it holds while it lives. */
    public Builder cpus(double amount) {
      return resource("CPU", amount);
    }

    /** GPUs that it holds while it lives. */
    public Builder gpus(double amount) {
      return resource("GPU", amount);
    }

    /** Memory that it is counted with, in bytes. */
    public Builder memoryBytes(long amount) {
      return resource("memory", amount);
    }

    /** An amount of any resource that nodes have. */
    public Builder resource(String resource, double amount) {
      resources.put(resource, ResourceList.checked(resource, amount));
      return this;
    }

    /** How often it starts again after its process died; -1 for ever. */
    public Builder maxRestarts(int restarts) {
      this.maxRestarts = restarts;
      return this;
    }

    /** How often a call runs again after a restart; -1 for ever. */
    public Builder maxTaskRetries(int retries) {
      this.maxTaskRetries = retries;
      return this;
    }

    /** It outlives its handles and the job. */
    public Builder detached(boolean outlives) {
      this.detached = outlives;
      return this;
    }

    /** With a name: the existing actor instead of NameTakenException. */
    public Builder getIfExists(boolean get) {
      this.getIfExists = get;
      return this;
    }

    /** Where its code lies, beside the job's code path. */
    public Builder runtimeEnv(RuntimeEnv env) {
      this.runtimeEnv = env;
      return this;
    }

    public ActorOptions build() {
      return new ActorOptions(this);
    }
  }
}
