package org.sabir.internal;

import java.util.Arrays;

/** Cuts off stacks what lies below users' code: how a worker came to call it says nothing about the error. */
final class UserFrames {
  private static final int CAUSES_MAX = 16;
  private static final String BOTTOM = Resolver.Bound.class.getName();

  private UserFrames() {}

  /** Of an exception that a call of Resolver.Bound.run threw, and of its causes. */
  static void keep(Throwable error) {
    Throwable at = error;
    for (int i = 0; at != null && i < CAUSES_MAX; ++i) {
      StackTraceElement[] frames = at.getStackTrace();
      int end = bottom(frames);
      if (end < frames.length) {
        at.setStackTrace(Arrays.copyOf(frames, end));
      }
      at = at.getCause();
    }
  }

  private static int bottom(StackTraceElement[] frames) {
    for (int i = frames.length - 1; i > 0; --i) {
      if (frames[i].getClassName().equals(BOTTOM)) {
        int end = i;
        while (end > 0 && isReflection(frames[end - 1].getClassName())) {
          --end;
        }
        return end;
      }
    }
    return frames.length;
  }

  private static boolean isReflection(String name) {
    return name.startsWith("jdk.internal.reflect.") || name.startsWith("java.lang.reflect.")
        || name.startsWith("java.lang.invoke.");
  }
}
