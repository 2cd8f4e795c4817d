package org.sabir.internal;

import java.util.List;

/** Where users' classes are looked for: by the worker's loader over the job's code path, else as the thread does. */
public final class CodePath {
  private static volatile ClassLoader ofWorker;
  private static volatile List<String> entries = List.of();

  private CodePath() {}

  /** A worker's: all its threads use this loader from now on. */
  public static void set(ClassLoader loader, List<String> paths) {
    ofWorker = loader;
    entries = paths;
  }

  public static ClassLoader loader() {
    ClassLoader loader = ofWorker != null ? ofWorker : Thread.currentThread().getContextClassLoader();
    return loader != null ? loader : CodePath.class.getClassLoader();
  }

  public static List<String> entries() {
    return entries;
  }

  /** Where was looked, for errors. */
  public static String describe() {
    return "looked in " + (entries.isEmpty() ? System.getProperty("java.class.path", "") : String.join(":", entries));
  }
}
