package org.sabir;

import java.util.Map;

/** Options of a task. Immutable; see {@link #builder}. */
public final class TaskOptions {
  /** One CPU, three retries after a worker's death. */
  public static final TaskOptions DEFAULT = builder().build();

  private final Map<String, Double> resources;
  private final int maxRetries;
  private final boolean retryExceptions;
  private final String name;
  private final RuntimeEnv runtimeEnv;

  private TaskOptions(Builder builder) {
    this.resources = Map.copyOf(builder.resources);
    this.maxRetries = builder.maxRetries;
    this.retryExceptions = builder.retryExceptions;
    this.name = builder.name;
    this.runtimeEnv = builder.runtimeEnv;
  }

  public static Builder builder() {
    return new Builder();
  }

  /** A builder with these options. */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.resources.clear();
    builder.resources.putAll(resources);
    builder.maxRetries = maxRetries;
    builder.retryExceptions = retryExceptions;
    builder.name = name;
    builder.runtimeEnv = runtimeEnv;
    return builder;
  }

  public Map<String, Double> resources() {
    return resources;
  }

  public int maxRetries() {
    return maxRetries;
  }

  public boolean retryExceptions() {
    return retryExceptions;
  }

  public String name() {
    return name;
  }

  public RuntimeEnv runtimeEnv() {
    return runtimeEnv;
  }

  /** Collects options. */
  public static final class Builder extends RemoteOptionsBuilder<Builder> {
    private int maxRetries = 3;
    private boolean retryExceptions;
    private String name = "";

    private Builder() {
      resources.put("CPU", 1.0);
    }

    @Override
    Builder self() {
      return this;
    }

    /** How often it runs again after the death of its worker; default 3, -1 for ever. */
    public Builder maxRetries(int retries) {
      this.maxRetries = retries;
      return this;
    }

    /** Also run again when it threw an exception (not an Error). */
    public Builder retryExceptions(boolean retry) {
      this.retryExceptions = retry;
      return this;
    }

    /** For logs and errors; default: the method's name. */
    public Builder name(String text) {
      this.name = text;
      return this;
    }

    public TaskOptions build() {
      return new TaskOptions(this);
    }
  }
}
