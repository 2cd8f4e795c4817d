package org.sabir.internal;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.sabir.RuntimeEnv;

/**
 * A function's code with what stands in front of it (docs/values.md).
 *
 * @param paths beside the job's code path
 * @param retryExceptions names of the exception types that are retried; none: all exceptions
 * @param code what follows
 */
record EnvCode(List<String> paths, List<String> retryExceptions, String code) {
  private static final char MARK = '%';
  private static final String PATHS = "code_search_path";
  private static final String RETRY = "retry_exceptions";

  static EnvCode parse(String text) {
    int end = text.indexOf('\n');
    if (text.isEmpty() || text.charAt(0) != MARK || end < 0) {
      return new EnvCode(List.of(), List.of(), text);
    }
    Map<?, ?> head = (Map<?, ?>) Json.read(text.substring(1, end));
    return new EnvCode(texts(head.get(PATHS)), texts(head.get(RETRY)), text.substring(end + 1));
  }

  private static List<String> texts(Object json) {
    return json instanceof List<?> list ? list.stream().map(String.class ::cast).toList() : List.of();
  }

  /** The function as it runs in an environment. */
  static FunctionKey in(RuntimeEnv env, FunctionKey key) {
    return in(env, List.of(), key);
  }

  /** The function as it runs in an environment, with retries of these exceptions only. */
  static FunctionKey in(RuntimeEnv env, List<String> retryExceptions, FunctionKey key) {
    if (env.codeSearchPath().isEmpty() && retryExceptions.isEmpty()) {
      return key;
    }
    Map<String, Object> head = new LinkedHashMap<>();
    head.put(PATHS, env.codeSearchPath());
    if (!retryExceptions.isEmpty()) {
      head.put(RETRY, retryExceptions);
    }
    return new FunctionKey(key.language(), key.name(), MARK + Json.write(head) + '\n' + key.code());
  }

  /** Whether an exception of users' code is one that is retried. */
  boolean retries(Throwable error) {
    if (retryExceptions.isEmpty()) {
      return !(error instanceof Error);
    }
    for (Class<?> type = error.getClass(); type != null; type = type.getSuperclass()) {
      if (retryExceptions.contains(type.getName())) {
        return true;
      }
    }
    return false;
  }
}
