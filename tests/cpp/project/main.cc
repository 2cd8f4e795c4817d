// A program outside of the repository. With a first argument, workers are sabir-cpp-worker; else they are this program.
#include <cstdio>
#include <sabir/sabir.hpp>

int plus(int a, int b) { return a + b; }
SABIR_REMOTE(plus);

int main(int argc, char** argv) {
  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 1}};
#ifdef WORKER
  if (argc > 1) {
    config.worker = WORKER;
    config.code_search_path = {FUNCTIONS};
  }
#endif
  sabir::Session session(config);
  if (argc > 1) {
    std::printf("%s\n", sabir::cpp_function<std::string>("greet").remote(argv[1]).get().c_str());
  } else {
    std::printf("%d\n", sabir::task(plus).remote(20, 22).get());
  }
}
