// Where one task or actor finds its code, and what else travels in front of the function's code (docs/values.md).
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

// What stands in front of a function's code.
struct CodeHead {
  std::vector<std::string> code_search_path;
  std::vector<std::string> retry_exceptions;  // names of types; none: all that users' code throws

  bool empty() const { return code_search_path.empty() && retry_exceptions.empty(); }
};

inline std::string with_head(const CodeHead& head, const std::string& code) {
  std::string retry =
      head.retry_exceptions.empty() ? "" : ", \"retry_exceptions\": " + json_list(head.retry_exceptions);
  return "%{\"code_search_path\": " + json_list(head.code_search_path) + retry + "}\n" + code;
}

inline std::string code_in(const RuntimeEnv& env, const std::vector<std::string>& retry_exceptions,
                           const std::string& code) {
  CodeHead head{{}, retry_exceptions};
  for (const std::string& path : env.code_search_path) {
    head.code_search_path.push_back(code_path_entry(path));
  }
  return head.empty() ? code : with_head(head, code);
}

inline CodeHead take_head(std::string& code) {
  CodeHead head;
  size_t end = code.find('\n');
  if (code.compare(0, 1, "%") == 0 && end != std::string::npos) {
    JsonObject said(std::string_view(code).substr(1, end - 1));
    head = {said.texts("code_search_path"), said.texts("retry_exceptions")};
    code.erase(0, end + 1);
  }
  return head;
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_RUNTIME_ENV_HPP_
