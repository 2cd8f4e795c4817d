// What the programs here have called, by language and name: "python", "java", "cpp".
#pragma once

#include <sabir/sabir.hpp>

template <typename R>
auto function_in(const std::string& language, const std::string& name) {
  return language == "python" ? sabir::py_function<R>("functions", name)
         : language == "java" ? sabir::java_function<R>("across.Functions", name)
                              : sabir::cpp_function<R>(name);
}

inline auto counter_in(const std::string& language) {
  return language == "python" ? sabir::py_actor_class("functions", "Counter")
         : language == "java" ? sabir::java_actor_class("across.Functions$Counter")
                              : sabir::cpp_actor_class("Counter::create");
}
