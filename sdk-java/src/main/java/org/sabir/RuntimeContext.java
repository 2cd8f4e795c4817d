package org.sabir;

import java.util.List;

/**
 * Who and where a program is. Ids are hexadecimal; empty where there is none.
 *
 * @param jobId the job
 * @param nodeId the node
 * @param namespace of actor names
 * @param taskId the call that runs in this thread
 * @param actorId the actor that this process hosts
 * @param attempt how often this call was tried before
 * @param gpuIds the GPUs that this call may use
 */
public record RuntimeContext(
    String jobId, String nodeId, String namespace, String taskId, String actorId, int attempt, List<Integer> gpuIds) {}
