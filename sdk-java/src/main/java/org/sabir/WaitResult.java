package org.sabir;

import java.util.List;

/**
 * What Sabir.wait found.
 *
 * @param ready those with a value or an error
 * @param unready the others
 * @param <T> the type of the values
 */
public record WaitResult<T>(List<ObjectRef<T>> ready, List<ObjectRef<T>> unready) {}
