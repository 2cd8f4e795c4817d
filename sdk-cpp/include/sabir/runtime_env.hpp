// Where one task or actor finds its code. It travels in front of the function's code (docs/values.md).
#ifndef SABIR_RUNTIME_ENV_HPP_
#define SABIR_RUNTIME_ENV_HPP_

#include <limits.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sabir/error.hpp"
#include "sabir/json.hpp"

SABIR_NAMESPACE_BEGIN

// Beside the code path of the job.
struct RuntimeEnv {
  std::vector<std::string> code_search_path = {};  // as Config's

  bool empty() const { return code_search_path.empty(); }
};

namespace detail {

// The path, absolute if it exists.
inline std::string absolute_path(const std::string& path) {
  char absolute[PATH_MAX];
  return realpath(path.c_str(), absolute) != nullptr ? absolute : path;
}

// An entry of a code_search_path as an absolute path. InvalidArgumentError if there is nothing.
inline std::string code_path_entry(const std::string& path) {
  char absolute[PATH_MAX];
  if (realpath(path.c_str(), absolute) == nullptr) {
    throw InvalidArgumentError(SABIR_INVALID_ARGUMENT, "code_search_path: " + path + " does not exist");
  }
  return absolute;
}

inline std::string with_paths(const std::vector<std::string>& paths, const std::string& code) {
  return "%{\"code_search_path\": " + json_list(paths) + "}\n" + code;
}

inline std::string code_in(const RuntimeEnv& env, const std::string& code) {
  std::vector<std::string> paths;
  for (const std::string& path : env.code_search_path) {
    paths.push_back(code_path_entry(path));
  }
  return with_paths(paths, code);
}

// Takes the environment off the front of a function's code.
inline RuntimeEnv take_env(std::string& code) {
  RuntimeEnv env;
  size_t end = code.find('\n');
  if (code.compare(0, 1, "%") == 0 && end != std::string::npos) {
    env.code_search_path = JsonObject(std::string_view(code).substr(1, end - 1)).texts("code_search_path");
    code.erase(0, end + 1);
  }
  return env;
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_RUNTIME_ENV_HPP_
