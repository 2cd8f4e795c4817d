package org.sabir.internal;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.sabir.SabirException;

/**
 * The error values that exceptions of this process were made of: when such an exception leaves a task, its value goes
 * on as the cause, with the stacks of all languages below.
 */
final class ErrorMaps {
  private static final Map<SabirException, byte[]> MAPS = Collections.synchronizedMap(new WeakHashMap<>());

  private ErrorMaps() {}

  static void remember(SabirException exception, byte[] map) {
    MAPS.put(exception, map);
  }

  /** Null if it was not made of an error value here. */
  static byte[] of(Throwable exception) {
    return exception instanceof SabirException own ? MAPS.get(own) : null;
  }
}
