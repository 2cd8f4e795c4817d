package org.sabir.internal;

import java.util.List;

/** Where users' classes are looked for: by the worker's loader over the job's code path, else as the thread does. */
public final class CodePath {
  /** A loader, and the paths that it looks in. */
  record Place(ClassLoader loader, List<String> entries) {}

  private static volatile Place ofJob;
  private static volatile Place current; // entered last
  private static final ThreadLocal<Place> OF_THREAD = new InheritableThreadLocal<>(); // where workers share a process
  private static final ThreadLocal<Place> LENT = new ThreadLocal<>(); // see in()

  private CodePath() {}

  /** A worker's: its threads look there from now on, where a function has no place of its own. */
  static void set(Place place) {
    ofJob = place;
    enter(place);
  }

  /** The job's own; null in drivers. */
  static Place ofJob() {
    return ofJob;
  }

  /** For the calls that follow, until another place is entered. */
  static void enter(Place place) {
    if (place != place()) {
      current = place;
      OF_THREAD.set(place);
      Thread.currentThread().setContextClassLoader(place.loader);
    }
  }

  /**
   * Work of a thread that is nobody's own, for a task: it looks where the task does, and afterwards where it did
   * before. Null, as in drivers: where it looks anyway.
   */
  static void in(Place place, Runnable work) {
    if (place == null) {
      work.run();
      return;
    }
    Thread thread = Thread.currentThread();
    ClassLoader loaderBefore = thread.getContextClassLoader();
    Place before = LENT.get(); // a thread of a pool that waits inside of its work takes other work meanwhile
    LENT.set(place);
    thread.setContextClassLoader(place.loader);
    try {
      work.run();
    } finally {
      thread.setContextClassLoader(loaderBefore);
      if (before != null) {
        LENT.set(before);
      } else {
        LENT.remove();
      }
    }
  }

  /** Where this thread looks now; null in drivers. */
  static Place place() {
    Place lent = LENT.get();
    if (lent != null) {
      return lent;
    }
    Place own = Runtimes.isShared() ? OF_THREAD.get() : null;
    return own != null ? own : current;
  }

  public static ClassLoader loader() {
    Place place = place();
    ClassLoader loader = place != null ? place.loader : Thread.currentThread().getContextClassLoader();
    return loader != null ? loader : CodePath.class.getClassLoader();
  }

  public static List<String> entries() {
    Place place = place();
    return place != null ? place.entries : List.of();
  }

  /** Where was looked, for errors. */
  public static String describe() {
    return "looked in "
        + (entries().isEmpty() ? System.getProperty("java.class.path", "") : String.join(":", entries()));
  }
}
