package org.sabir;

import java.util.LinkedHashMap;
import java.util.Map;
import org.sabir.internal.ResourceList;

/** Collects what tasks and actors are both given. {@code B} is the builder that its methods return. */
abstract class RemoteOptionsBuilder<B extends RemoteOptionsBuilder<B>> {
  final Map<String, Double> resources = new LinkedHashMap<>();
  RuntimeEnv runtimeEnv = RuntimeEnv.NONE;
  Scheduling scheduling = Scheduling.DEFAULT;

  RemoteOptionsBuilder() {}

  abstract B self();

  /** CPUs that it holds: a task while it runs, default 1, an actor while it lives, default 0. Fractions are allowed. */
  public B numCpus(double amount) {
    return resource("CPU", amount);
  }

  /** GPUs that it holds: a task while it runs, an actor while it lives; default 0. */
  public B numGpus(double amount) {
    return resource("GPU", amount);
  }

  /** Memory that it is counted with, in bytes. */
  public B memoryBytes(long amount) {
    return resource("memory", amount);
  }

  /** An amount of any resource that nodes have; InvalidArgumentException unless it is a number from zero on. */
  public B resource(String resource, double amount) {
    resources.put(resource, ResourceList.checked(resource, amount));
    return self();
  }

  /** Where it runs; default: here if there is room, else on a node that has it. */
  public B scheduling(Scheduling where) {
    this.scheduling = where;
    return self();
  }

  /** Where its code lies, beside the job's code path. */
  public B runtimeEnv(RuntimeEnv env) {
    this.runtimeEnv = env;
    return self();
  }
}
