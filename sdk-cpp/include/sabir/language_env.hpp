// How workers of other languages are started.
#ifndef SABIR_LANGUAGE_ENV_HPP_
#define SABIR_LANGUAGE_ENV_HPP_

#include <dirent.h>
#include <dlfcn.h>
#include <fnmatch.h>
#include <limits.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "sabir/error.hpp"
#include "sabir/json.hpp"
#include "sabir/program.hpp"
#include "sabir/runtime_env.hpp"

SABIR_NAMESPACE_BEGIN

// How to start workers of another language (sabir_language_env).
struct LanguageEnv {
  Language language = Language::kNone;
  sabir_launch_mode mode = SABIR_LAUNCH_EXEC;
  std::vector<std::string> argv;
  uint32_t slots_per_process = 1;  // workers that share a process; more than one with SABIR_LAUNCH_EXEC only
};

namespace detail {

inline std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

inline bool is_folder(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}
inline bool is_file(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode);
}

// What an interpreter says about how its workers are started, and where its modules lie.
struct PythonEnv {
  LanguageEnv env;
  std::vector<std::string> path;
};

// Throws if it does not run, or has no package sabir.
inline PythonEnv python_env(const std::string& python, Duration timeout) {
  ProgramAnswer answer = ask_program({python, "-m", "sabir", "language-env"}, timeout);
  JsonObject said(answer.out);
  PythonEnv made{{Language::kPython, SABIR_LAUNCH_ZYGOTE, said.texts("argv"), 1}, said.texts("path")};
  if (made.env.argv.empty()) {
    throw_status(SABIR_NOT_FOUND, "the interpreter '" + python + "' does not run, or has no package sabir: " +
                                      (answer.problem.empty() ? "it answered: " + answer.out : answer.problem));
  }
  return made;
}

// The folder in which libsabir.so lies, and the programs that come with it.
inline std::string library_folder() {
  Dl_info about{};
  if (dladdr(reinterpret_cast<const void*>(&sabir_version), &about) == 0 || about.dli_fname == nullptr) {
    return "";
  }
  std::string path = absolute_path(about.dli_fname);
  return path.substr(0, path.rfind('/'));
}

// The first sabir-java*.jar that is on the code path, or lies in a folder of it; "": there is none.
inline std::string find_java_jar(const std::vector<std::string>& code_search_path) {
  static constexpr const char* kName = "sabir-java*.jar";
  for (const std::string& path : code_search_path) {
    if (fnmatch(kName, path.c_str() + (path.rfind('/') + 1), 0) == 0 && is_file(path)) {
      return path;
    }
    std::vector<std::string> found;
    if (DIR* folder = is_folder(path) ? opendir(path.c_str()) : nullptr) {
      while (const dirent* item = readdir(folder)) {
        if (fnmatch(kName, item->d_name, 0) == 0 && is_file(path + "/" + item->d_name)) {
          found.push_back(path + "/" + item->d_name);
        }
      }
      closedir(folder);
    }
    if (!found.empty()) {
      return *std::min_element(found.begin(), found.end());
    }
  }
  return "";
}

// Workers become JVMs when one is wanted: no java is looked for before.
inline LanguageEnv java_env(const std::string& jar, const std::vector<std::string>& options) {
  LanguageEnv env{Language::kJava, SABIR_LAUNCH_EXEC, {library_folder() + "/sabir-java-worker", absolute_path(jar)}, 1};
  env.argv.insert(env.argv.end(), options.begin(), options.end());
  return env;
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_LANGUAGE_ENV_HPP_
