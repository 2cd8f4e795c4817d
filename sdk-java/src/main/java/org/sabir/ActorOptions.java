package org.sabir;

import java.util.Map;

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

  public Scheduling scheduling() {
    return values.scheduling;
  }

  /** Collects options. */
  public static final class Builder extends RemoteOptionsBuilder<Builder> {
    private String name = "";
    private String namespace = "";
    private int maxRestarts;
    private int maxTaskRetries;
    private int maxConcurrency = 1;
    private boolean detached;
    private boolean getIfExists;

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
      scheduling = other.scheduling;
    }

    @Override
    Builder self() {
      return this;
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

    public ActorOptions build() {
      return new ActorOptions(this);
    }
  }
}
