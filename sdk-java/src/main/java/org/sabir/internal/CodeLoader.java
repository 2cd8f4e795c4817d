package org.sabir.internal;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.sabir.InvalidArgumentException;
import org.sabir.NotFoundException;

/** A worker's class loader over the job's code path: folders and jars, "folder/*" for all jars of a folder. */
final class CodeLoader {
  private static final Map<List<String>, CodePath.Place> PLACES = new ConcurrentHashMap<>();

  private CodeLoader() {}

  /** Sets it up from the job's configuration. */
  static void use(String jobConfig) {
    List<String> paths = new ArrayList<>();
    Object config = jobConfig.isBlank() ? Map.of() : Json.read(jobConfig);
    if (config instanceof Map<?, ?> map && map.get("code_search_path") instanceof List<?> entries) {
      for (Object entry : entries) {
        expand((String) entry, paths);
      }
    }
    CodePath.set(new CodePath.Place(loader(paths, CodeLoader.class.getClassLoader()), paths));
  }

  /**
   * The job's code path, and these paths behind it; each list of paths has one loader, so that classes are the same.
   */
  static CodePath.Place beside(List<String> paths) {
    CodePath.Place job = CodePath.ofJob();
    if (paths.isEmpty() || job == null) {
      return job;
    }
    return PLACES.computeIfAbsent(paths, more -> {
      List<String> expanded = new ArrayList<>();
      for (String path : more) {
        expand(path, expanded);
      }
      ClassLoader loader = loader(expanded, job.loader());
      List<String> all = new ArrayList<>(job.entries());
      all.addAll(expanded);
      return new CodePath.Place(loader, List.copyOf(all));
    });
  }

  private static ClassLoader loader(List<String> paths, ClassLoader parent) {
    List<URL> urls = new ArrayList<>();
    for (String path : paths) {
      File file = new File(path);
      if (file.isDirectory() || path.endsWith(".jar") || path.endsWith(".zip")) {
        try {
          urls.add(file.toURI().toURL());
        } catch (MalformedURLException impossible) {
          throw new AssertionError(impossible);
        }
      }
    }
    return new URLClassLoader(urls.toArray(new URL[0]), parent);
  }

  private static void expand(String entry, List<String> paths) {
    if (!entry.endsWith("/*")) {
      paths.add(entry);
      return;
    }
    File[] jars = new File(entry.substring(0, entry.length() - 2)).listFiles((folder, name) -> name.endsWith(".jar"));
    if (jars != null) {
      java.util.Arrays.sort(jars);
      for (File jar : jars) {
        paths.add(jar.getPath());
      }
    }
  }

  /** NotFoundException says where was looked. */
  static Class<?> find(String name, String function) {
    try {
      return Class.forName(name, true, CodePath.loader());
    } catch (ClassNotFoundException missing) {
      throw new NotFoundException(
          function + ": there is no class " + name + " on the worker's code path. " + looked(name));
    } catch (ExceptionInInitializerError ofUsersCode) {
      throw ofUsersCode;
    } catch (NoClassDefFoundError missing) {
      throw incomplete(name, function, missing);
    } catch (LinkageError unsuitable) {
      // Compiled for a newer Java, damaged, loaded twice.
      throw new InvalidArgumentException(
          function + ": the class " + name + " cannot be loaded: " + unsuitable + ". " + looked(name));
    }
  }

  /**
   * For a class that refers to one that is not there; an initializer that threw before is users' error, thrown again.
   */
  static NotFoundException incomplete(String name, String function, NoClassDefFoundError missing) {
    String message = missing.getMessage();
    if (missing.getCause() instanceof ExceptionInInitializerError || message == null
        || message.startsWith("Could not initialize class")) {
      throw missing;
    }
    return new NotFoundException(function + ": the class " + name + " needs " + message.replace('/', '.')
        + ", which is not on the worker's code path. " + looked(name));
  }

  private static String looked(String name) {
    List<String> entries = CodePath.entries();
    if (entries.isEmpty()) {
      return "The job has no code path: give init() a code_search_path with the jars and folders of your classes";
    }
    StringBuilder text = new StringBuilder("Looked in ");
    String before = "";
    for (String entry : entries) {
      text.append(before).append(entry).append(new File(entry).exists() ? "" : " (is not there)");
      before = ", ";
    }
    String simple = name.substring(name.lastIndexOf('.') + 1);
    List<String> similar = Similar.classes(entries, simple);
    return text + (similar.isEmpty() ? "" : ". There is " + String.join(", ", similar));
  }
}
