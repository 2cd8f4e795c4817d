package org.sabir.internal;

import java.util.List;
import java.util.Map;
import org.sabir.RuntimeEnv;

/**
 * A function's code with the paths that stand in front of it (docs/values.md).
 *
 * @param paths beside the job's code path
 * @param code what follows
 */
record EnvCode(List<String> paths, String code) {
  private static final char MARK = '%';

  static EnvCode parse(String text) {
    int end = text.indexOf('\n');
    if (text.isEmpty() || text.charAt(0) != MARK || end < 0) {
      return new EnvCode(List.of(), text);
    }
    Map<?, ?> env = (Map<?, ?>) Json.read(text.substring(1, end));
    List<?> paths = env.get("code_search_path") instanceof List<?> list ? list : List.of();
    return new EnvCode(paths.stream().map(String.class ::cast).toList(), text.substring(end + 1));
  }

  /** The function as it runs in an environment. */
  static FunctionKey in(RuntimeEnv env, FunctionKey key) {
    if (env.codeSearchPath().isEmpty()) {
      return key;
    }
    String head = MARK + Json.write(Map.of("code_search_path", env.codeSearchPath())) + '\n';
    return new FunctionKey(key.language(), key.name(), head + key.code());
  }
}
