package org.sabir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Where one task or actor finds its code, beside the code path of its job.
 *
 * @param codeSearchPath folders, jars, shared libraries, folders of Python modules, as absolute paths
 */
public record RuntimeEnv(List<String> codeSearchPath) {
  /** The job's code path and nothing else. */
  public static final RuntimeEnv NONE = new RuntimeEnv(List.of());

  public RuntimeEnv {
    codeSearchPath = List.copyOf(codeSearchPath);
  }

  /** With these paths, from where the program stands. InvalidArgumentException if there is nothing at one of them. */
  public static RuntimeEnv ofCode(String... paths) {
    return new RuntimeEnv(Arrays.stream(paths).map(RuntimeEnv::existing).toList());
  }

  static String existing(String path) {
    Path absolute = Path.of(path).toAbsolutePath();
    if (!Files.exists(absolute)) {
      throw new InvalidArgumentException("codeSearchPath: " + absolute + " does not exist");
    }
    return absolute.toString();
  }
}
