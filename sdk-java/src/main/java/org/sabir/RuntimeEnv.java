package org.sabir;

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

  /** With these paths, from where the program stands. */
  public static RuntimeEnv ofCode(String... paths) {
    return new RuntimeEnv(Arrays.stream(paths).map(path -> Path.of(path).toAbsolutePath().toString()).toList());
  }
}
