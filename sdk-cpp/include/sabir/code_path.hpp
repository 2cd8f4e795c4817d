// The libraries of the job's code path, and how a function is found by name in all that is loaded.
#ifndef SABIR_CODE_PATH_HPP_
#define SABIR_CODE_PATH_HPP_

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sabir/library.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Functions of this process: of the executable, of the libraries it came with, and, once something is not found there,
// of those on the code path: shared libraries, and folders with such. Not thread-safe.
class CodePath {
 public:
  explicit CodePath(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  // More paths, behind those that are there.
  void add(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) {
        paths_.push_back(path);
      }
    }
  }
  // Throws NotFoundError that says where it was looked for and what is there.
  const Entry& function(std::string_view name, bool as_factory) {
    const Entry* found = look(name, [&](const Entry& entry) {
      return entry.name == name && !entry.is_method() && (as_factory ? entry.create : entry.invoke) != nullptr;
    });
    return found != nullptr ? *found : missing(as_factory ? "factory of actors" : "function", name);
  }
  // A method of the actor, by its full name, or by its name within the actor's class.
  const Entry& method(std::string_view name, const std::type_info& owner) {
    const Entry* found = look(name, [&](const Entry& entry) { return entry.is_method() && entry.name == name; });
    if (found == nullptr) {
      found = look(name, [&](const Entry& entry) {
        return entry.is_method() && *entry.owner == owner && entry.short_name() == name;
      });
    }
    return found != nullptr ? *found : missing("method of " + type_name(owner), name);
  }

 private:
  template <typename Match>
  const Entry* look(std::string_view name, Match match) {
    const Entry* found = look_in_loaded(name, match);
    if (found == nullptr && loaded_count_ < paths_.size()) {
      if (loaded_count_ == 0) {
        brought_ = libraries().look(state().client.load()).size();
      }
      load_all();
      found = look_in_loaded(name, match);
    }
    return found;
  }
  template <typename Match>
  const Entry* look_in_loaded(std::string_view name, Match match) {
    std::vector<LoadedLibrary> all = libraries().look(state().client.load());
    const Entry* found = nullptr;
    const std::string* where = nullptr;
    for (size_t i = 0; i < all.size(); ++i) {
      for (const auto& entry : all[i].library->registry->entries()) {
        if (!match(*entry)) {
          continue;
        }
        if (entry->registered_twice) {
          throw_status(SABIR_INVALID_ARGUMENT, "'" + std::string(name) + "' is registered for two functions in " +
                                                   all[i].path + ": give one another name by SABIR_REMOTE_AS");
        }
        // What the executable brings is meant, if it has that name. Which library of the code path is, nobody knows.
        if (loaded_count_ == 0 || i < brought_) {
          return entry.get();
        }
        if (found != nullptr) {
          throw_status(SABIR_INVALID_ARGUMENT,
                       "'" + std::string(name) + "' is registered in two libraries of the code path, " + *where +
                           " and " + all[i].path +
                           ": give one another name by SABIR_REMOTE_AS, or leave one library out of the code path");
        }
        found = entry.get();
        where = &all[i].path;
        break;
      }
    }
    return found;
  }

  void load_all() {
    while (loaded_count_ < paths_.size()) {
      const std::string& path = paths_[loaded_count_++];
      struct stat about {};
      if (stat(path.c_str(), &about) != 0) {
        problems_ += "\n  " + path + ": does not exist";
      } else if (!S_ISDIR(about.st_mode)) {
        if (path.size() > 3 && path.compare(path.size() - 3, 3, ".so") == 0) {
          load(path);
        }
      } else {
        for (const std::string& file : libraries_in(path)) {
          load(file);
        }
      }
    }
  }
  static std::vector<std::string> libraries_in(const std::string& folder) {
    std::vector<std::string> files;
    if (DIR* open = opendir(folder.c_str())) {
      while (const dirent* item = readdir(open)) {
        std::string name = item->d_name;
        // A folder may hold libraries that are not for us, such as modules of Python: look before loading.
        if (name.size() > 3 && name.compare(name.size() - 3, 3, ".so") == 0 && is_ours(folder + "/" + name)) {
          files.push_back(folder + "/" + name);
        }
      }
      closedir(open);
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static bool is_ours(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str().find("sabir_cpp_library") != std::string::npos;
  }
  void load(const std::string& path) {
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: its code may run at any time
    if (handle == nullptr) {
      const char* why = dlerror();
      problems_ += "\n  " + path + ": cannot be loaded: " + (why != nullptr ? why : "");
    } else if (dlsym(handle, "sabir_cpp_library") == nullptr) {
      problems_ += "\n  " + path + ": has no SABIR_REMOTE functions";
    }
  }

  [[noreturn]] const Entry& missing(const std::string& what, std::string_view name) {
    std::string message = "there is no " + what + " '" + std::string(name) + "'. Looked for in:";
    for (const LoadedLibrary& loaded : libraries().look(state().client.load())) {
      message += "\n  " + loaded.path + ": ";
      std::string names;
      for (const auto& entry : loaded.library->registry->entries()) {
        if (names.size() > 2000) {
          names += ", ...";
          break;
        }
        names += (names.empty() ? "" : ", ") + entry->name;
      }
      message += names.empty() ? "nothing registered by SABIR_REMOTE" : "has " + names;
    }
    throw_status(SABIR_NOT_FOUND, message + problems_ + (paths_.empty() ? "\nThe job has no code path." : ""));
  }

  std::vector<std::string> paths_;
  size_t loaded_count_ = 0;  // of paths_
  size_t brought_ = 0;       // libraries that were there before those of the code path
  std::string problems_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_CODE_PATH_HPP_
