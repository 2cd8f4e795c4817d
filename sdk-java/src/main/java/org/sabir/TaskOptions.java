package org.sabir;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Options of a task. Immutable; see {@link #builder}. */
public final class TaskOptions {
  /** One CPU, three retries after a worker's death. */
  public static final TaskOptions DEFAULT = builder().build();

  private final Map<String, Double> resources;
  private final int maxRetries;
  private final boolean retryExceptions;
  private final List<String> retryExceptionTypes;
  private final String name;
  private final RuntimeEnv runtimeEnv;
  private final Scheduling scheduling;

  private TaskOptions(Builder builder) {
    this.resources = Map.copyOf(builder.resources);
    this.maxRetries = builder.maxRetries;
    this.retryExceptions = builder.retryExceptions;
    this.retryExceptionTypes = List.copyOf(builder.retryExceptionTypes);
    this.name = builder.name;
    this.runtimeEnv = builder.runtimeEnv;
    this.scheduling = builder.scheduling;
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
    builder.retryExceptionTypes = retryExceptionTypes;
    builder.name = name;
    builder.runtimeEnv = runtimeEnv;
    builder.scheduling = scheduling;
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

  /** Names of the types that are retried; empty: all exceptions, if any. */
  public List<String> retryExceptionTypes() {
    return retryExceptionTypes;
  }

  public String name() {
    return name;
  }

  public RuntimeEnv runtimeEnv() {
    return runtimeEnv;
  }

  public Scheduling scheduling() {
    return scheduling;
  }

  /** Collects options. */
  public static final class Builder extends RemoteOptionsBuilder<Builder> {
    private int maxRetries = 3;
    private boolean retryExceptions;
    private List<String> retryExceptionTypes = List.of();
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
      this.retryExceptionTypes = List.of();
      return this;
    }

    /** Also run again when it threw one of these, or of what is derived from them. */
    @SafeVarargs
    public final Builder retryExceptions(Class<? extends Throwable> type, Class<? extends Throwable>... others) {
      List<String> names = new ArrayList<>(List.of(type.getName()));
      for (Class<? extends Throwable> other : others) {
        names.add(other.getName());
      }
      return retryTypes(names);
    }

    /** The same by names of types in the function's language, as "ValueError" or "std::out_of_range". */
    public Builder retryExceptions(String type, String... others) {
      List<String> names = new ArrayList<>(List.of(type));
      names.addAll(List.of(others));
      return retryTypes(names);
    }

    private Builder retryTypes(List<String> names) {
      this.retryExceptions = true;
      this.retryExceptionTypes = names;
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
