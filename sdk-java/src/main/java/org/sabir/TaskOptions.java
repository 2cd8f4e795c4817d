package org.sabir;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sabir.internal.ResourceList;

/** Options of a task. Immutable; see {@link #builder}. */
public final class TaskOptions {
  /** One CPU, three retries after a worker's death. */
  public static final TaskOptions DEFAULT = builder().build();

  private final Map<String, Double> resources;
  private final int maxRetries;
  private final boolean retryErrors;
  private final String name;
  private final RuntimeEnv runtimeEnv;

  private TaskOptions(Builder builder) {
    this.resources = Map.copyOf(builder.resources);
    this.maxRetries = builder.maxRetries;
    this.retryErrors = builder.retryErrors;
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
    builder.retryErrors = retryErrors;
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

  public boolean retryErrors() {
    return retryErrors;
  }

  public String name() {
    return name;
  }

  public RuntimeEnv runtimeEnv() {
    return runtimeEnv;
  }

  /** Collects options. */
  public static final class Builder {
    private final Map<String, Double> resources = new LinkedHashMap<>(Map.of("CPU", 1.0));
    private int maxRetries = 3;
    private boolean retryErrors;
    private String name = "";
    private RuntimeEnv runtimeEnv = RuntimeEnv.NONE;

    private Builder() {}

    /** CPUs that it holds while it runs; default 1. Fractions are allowed. */
    public Builder cpus(double amount) {
      return resource("CPU", amount);
    }

    /** GPUs that it holds while it runs. */
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

    /** How often it runs again after the death of its worker; default 3, -1 for ever. */
    public Builder maxRetries(int retries) {
      this.maxRetries = retries;
      return this;
    }

    /** Also run again when it threw an exception (not an Error). */
    public Builder retryErrors(boolean retry) {
      this.retryErrors = retry;
      return this;
    }

    /** For logs and errors; default: the method's name. */
    public Builder name(String text) {
      this.name = text;
      return this;
    }

    /** Where its code lies, beside the job's code path. */
    public Builder runtimeEnv(RuntimeEnv env) {
      this.runtimeEnv = env;
      return this;
    }

    public TaskOptions build() {
      return new TaskOptions(this);
    }
  }
}
