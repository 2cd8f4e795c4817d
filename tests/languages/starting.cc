// A C++ driver whose workers of other languages cannot start: starting SESSION_ROOT LANGUAGE [JVM OPTION...]. Prints
// what a task and an actor of that language say, and that the session goes on.
#include <cstdio>
#include <cstdlib>

#include "functions.hpp"

namespace {

int own(int number) { return number + 1; }

template <typename Call>
void print_error(const char* what, Call call) {
  try {
    call();
    std::printf("%s: no error\n", what);
  } catch (const sabir::Error& error) {
    std::string status(sabir::detail::view_of(sabir_status_name(error.status())));
    std::printf("%s: %s: %s\nend\n", what, status.c_str(), error.message().c_str());
  }
}

}  // namespace

SABIR_REMOTE(own);

int main(int argc, char** argv) {
  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 1}};
  config.session_root = argc > 1 ? argv[1] : "";
  config.java_options.assign(argv + std::min(argc, 3), argv + argc);
  config.log_to_driver = false;
  sabir::Session session(config);
  std::string language = argv[2];
  std::chrono::seconds limit(100);
  print_error("task", [&] { function_in<int>(language, "missing").remote().get(limit); });
  print_error("actor", [&] { counter_in(language).remote(1).task<int>("add").remote(1).get(limit); });
  std::printf("then: %d\n", sabir::task(own).remote(1).get(limit));
}
