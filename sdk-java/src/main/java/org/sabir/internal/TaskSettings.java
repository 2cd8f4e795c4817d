package org.sabir.internal;

import org.sabir.Scheduling;

/** Options of a task as native code wants them. */
public record TaskSettings(ResourceList resources, int numReturns, int maxRetries, boolean retryExceptions, String name,
    Scheduling scheduling) {}
