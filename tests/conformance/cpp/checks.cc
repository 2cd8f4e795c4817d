#include "checks.hpp"

#include <cstdlib>
#include <filesystem>
#include <thread>

namespace conformance {

void require(bool condition, const std::string& about) {
  if (!condition) {
    throw Unexpected(about);
  }
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  require(value != nullptr, std::string("the environment has no ") + name);
  return value;
}

std::vector<std::string> paths_of(const char* name) {
  std::vector<std::string> parts;
  std::istringstream text(environment(name));
  for (std::string part; std::getline(text, part, ':');) {
    parts.push_back(part);
  }
  return parts;
}

sabir::ActorHandle<> Peer::recorder(int start, const sabir::ActorOptions& options) const {
  if (language_ == "python") {
    return sabir::py_actor_class("conformance_callee", "Recorder").options(options).remote(start);
  }
  if (language_ == "java") {
    return sabir::java_actor_class("conformance.Recorder").options(options).remote(start);
  }
  return sabir::cpp_actor_class("Recorder::create").options(options).remote(start);
}

std::string Pair::empty_folder() {
  std::string made = folder + "/" + std::to_string(++folders);
  std::filesystem::create_directory(made);
  return made;
}

sabir::Error expect(sabir_status status, const std::function<void()>& action) {
  try {
    action();
  } catch (const sabir::Error& error) {
    bool wanted = status == SABIR_OK || error.status() == status;
    require(wanted,
            "status " + std::to_string(error.status()) + " instead of " + std::to_string(status) + ": " + error.what());
    return error;
  }
  throw Unexpected("no error");
}

std::string everything(const sabir::Error& error) {
  std::string text = error.what();
  for (const sabir::ErrorInfo* at = error.info().get(); at != nullptr; at = at->cause.get()) {
    text += "\n" + at->type + "\n" + at->message + "\n" + at->stack;
  }
  return text;
}

void contains(const std::string& text, const std::string& part) {
  require(text.find(part) != std::string::npos, "no " + part + " in " + text);
}

std::string exception_type(const std::string& language) {
  return language == "python" ? "builtins.ValueError"
         : language == "java" ? "java.lang.IllegalArgumentException"
                              : "std::invalid_argument";
}

std::string in_stack(const std::string& language, const std::string& function) {
  return language == "java" ? "at conformance.Callee." + function + "(" : "in " + function + "\n";
}

void until(const std::function<bool()>& condition, const std::string& what) {
  auto deadline = std::chrono::steady_clock::now() + kWait;
  while (!condition()) {
    require(std::chrono::steady_clock::now() < deadline, "not in time: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace conformance
