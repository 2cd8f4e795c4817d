// A C++ driver: driver SESSION_ROOT CODE_FOLDER chain|handles|missing WORD... Prints what it found, for
// test_languages.py.
#include <cstdio>
#include <cstdlib>

#include "functions.hpp"

#define CHECK(condition) \
  ((condition) ? (void)0 : (std::fprintf(stderr, "line %d: %s\n", __LINE__, #condition), std::exit(1)))

namespace {

using sabir::Value;
using Any = sabir::detail::AnyParameters;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// One line per error of the chain: its language and type; and the whole text.
void chain(const std::string& languages) {
  std::vector<std::string> rest = split(languages);
  std::string first = rest.front();
  rest.erase(rest.begin());
  std::printf("chain %s\n", languages.c_str());
  try {
    function_in<Value>(first, "chain").remote(rest).get();
    CHECK(!"an error");
  } catch (const sabir::TaskError& error) {
    for (const sabir::ErrorInfo* at = error.info().get(); at != nullptr; at = at->cause.get()) {
      std::printf("level %s %s\n", sabir::language_name(at->language), at->type.c_str());
    }
    std::printf("text %s\nend\n", error.what());
  }
}

// Actors of each language, called by handles that came in each way, and by functions of each language.
void handles(const std::vector<std::string>& languages) {
  for (const std::string& language : languages) {
    sabir::ActorOptions options;
    options.name = "counter in " + language;
    auto made = counter_in(language).options(options).remote(100);
    CHECK(made.task<int>("add").remote(1).get() == 101);
    sabir::ActorHandle<> found = sabir::get_actor(options.name);
    CHECK(found.task<int>("add").remote(1).get() == 102);
    CHECK(found.language() == made.language() && found.id() == made.id());
    int expected = 102;
    for (const std::string& caller : languages) {
      CHECK(function_in<int>(caller, "add_to").remote(made, 1).get() == ++expected);
      CHECK(function_in<int>(caller, "add_to_named").remote(options.name, 1).get() == ++expected);
      auto back = function_in<std::vector<sabir::ActorHandle<>>>(caller, "same")
                      .remote(std::vector<sabir::ActorHandle<>>{made})
                      .get();
      CHECK(back[0].task<int>("add").remote(1).get() == ++expected);
      std::printf("%s calls %s\n", caller.c_str(), language.c_str());
    }
    made.kill();
  }
}

template <typename... A>
void print_error(const std::string& name, const sabir::detail::RemoteFunction<Value, Any>& function,
                 const A&... argument) {
  sabir::Result<Value> result = function.remote(argument...).try_get(std::chrono::seconds(100));
  std::string status(sabir::detail::view_of(sabir_status_name(result.status())));
  std::printf("%s: %s: %s\nend\n", name.c_str(), status.c_str(), result.ok() ? "" : result.error().message.c_str());
}

void missing() {
  print_error("java class", sabir::java_function<Value>("across.Nothing", "chain"), 1);
  print_error("java package", sabir::java_function<Value>("other.Functions", "chain"), 1);
  print_error("java method", sabir::java_function<Value>("across.Functions", "none"), 1);
  print_error("java count", sabir::java_function<Value>("across.Functions", "add_to"), 1);
  print_error("java type", sabir::java_function<Value>("across.Functions", "add_to_named"), 1, 2);
  print_error("java newer class", sabir::java_function<Value>("across.Newer", "f"));
  print_error("java initializer", sabir::java_function<Value>("across.Broken", "f"));
  print_error("java initializer again", sabir::java_function<Value>("across.Broken", "g"));
  print_error("java dependency", sabir::java_function<Value>("across.Dependent", "f"));
  print_error("cpp function", sabir::cpp_function<Value>("none"), 1);
  print_error("cpp count", sabir::cpp_function<Value>("add_to_named"), 1);
  print_error("cpp type", sabir::cpp_function<Value>("add_to_named"), 1, 2);
  print_error("python module", sabir::py_function<Value>("nothing", "f"), 1);
  print_error("python function", sabir::py_function<Value>("functions", "none"), 1);
  print_error("python count", sabir::py_function<Value>("functions", "add_to"), 1);
}

}  // namespace

int main(int argc, char** argv) {
  CHECK(argc > 4);
  sabir::Config config;
  config.address = "local";
  config.resources = {{"CPU", 2}};
  config.session_root = argv[1];
  config.code_search_path = {argv[2]};
  config.worker = std::getenv("CPP_WORKER");
  config.java_options = {"-Xmx64m"};
  config.log_to_driver = false;
  sabir::Session session(config);
  std::vector<std::string> words(argv + 4, argv + argc);
  if (argv[3] == std::string("handles")) {
    handles(words);
  } else if (argv[3] == std::string("missing")) {
    missing();
  } else {
    for (const std::string& languages : words) {
      chain(languages);
    }
  }
}
