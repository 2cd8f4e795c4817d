// Errors of users' code, of calls, and of values in a language's own form.
#include "checks.hpp"

namespace conformance {
namespace {

sabir::Language number_of(const std::string& language) {
  return language == "python" ? sabir::Language::kPython
         : language == "java" ? sabir::Language::kJava
                              : sabir::Language::kCpp;
}

void fields(Pair& pair) {
  const std::string& language = pair.callee.language();
  auto error = expect(SABIR_TASK_FAILED, [&] { pair.callee.run("fail", "on purpose"); });
  equal(error.type(), exception_type(language));
  require(error.language() == number_of(language), "another language");
  contains(error.message(), "on purpose");
  contains(error.stack(), in_stack(language, "fail"));
}

void message_arrives(const Pair& pair, const std::string& message) {
  contains(expect(SABIR_TASK_FAILED, [&] { pair.callee.run("fail", message); }).message(), message);
}

void cause(Pair& pair) {
  auto error = expect(SABIR_TASK_FAILED, [&] { pair.callee.run("chain", "the inner one"); });
  contains(error.message(), "around it");
  contains(everything(error), "the inner one");
}

void odd(Pair& pair) {
  auto error = expect(SABIR_TASK_FAILED, [&] { pair.callee.run("odd"); });
  require(error.type().size() >= 3 && error.type().substr(error.type().size() - 3) == "Odd", error.type());
  equal(pair.callee.call<int>("add", 1, 1), 2);
}

// An error that arises in the last of the languages has a stack of each of them.
void passes(const Peer& first, const std::vector<std::string>& rest) {
  auto error = expect(SABIR_TASK_FAILED, [&] { first.run("through", rest, "deep down"); });
  std::string text = everything(error);
  contains(text, "deep down");
  contains(text, in_stack(first.language(), "through"));
  for (const std::string& language : rest) {
    contains(text, in_stack(language, "through"));
  }
}

void through_three(Pair& pair) {
  std::vector<std::string> others;
  for (const char* language : {"python", "cpp", "java"}) {
    if (language != pair.callee.language()) {
      others.emplace_back(language);
    }
  }
  passes(pair.callee, others);
}

void missing_function(Pair& pair) {
  auto error = expect(SABIR_NOT_FOUND, [&] { pair.callee.run("no_such_function", 1); });
  contains(error.message(), "no_such_function");
  const std::string& language = pair.callee.language();
  contains(error.message(), language == "python" ? "conformance_callee"
                            : language == "java" ? "conformance.Callee"
                                                 : "libconformance_callee.so");
}

sabir::ActorHandle<> missing_class(const std::string& language) {
  if (language == "python") {
    return sabir::py_actor_class("conformance_callee", "NoSuchClass").remote(1);
  }
  if (language == "java") {
    return sabir::java_actor_class("conformance.NoSuchClass").remote(1);
  }
  return sabir::cpp_actor_class("NoSuchClass::create").remote(1);
}

void misfit(sabir_status kind, const std::function<void()>& call) { contains(expect(kind, call).message(), "add"); }

// Python's parameters have no types: its function meets the argument.
sabir_status of_wrong_type(const Pair& pair) {
  return pair.callee.language() == "python" ? SABIR_TASK_FAILED : SABIR_INVALID_ARGUMENT;
}

void in_method(Pair& pair) {
  auto recorder = pair.callee.recorder(5);
  auto error = expect(SABIR_TASK_FAILED, [&] { ask<void>(recorder, "fail", "a method's"); });
  contains(error.message(), "a method's");
  equal(error.type(), exception_type(pair.callee.language()));
  equal(ask<int>(recorder, "add", 1), 6);
}

}  // namespace

void add_error_checks(Checks& checks) {
  checks["error-fields"] = fields;
  checks["error-unicode"] = [](Pair& pair) { message_arrives(pair, "\u20ac\U0001f40d"); };
  checks["error-long"] = [](Pair& pair) { message_arrives(pair, std::string(30000, 'x')); };
  checks["error-cause"] = cause;
  checks["error-odd"] = odd;
  checks["error-through-caller"] = [](Pair& pair) { passes(pair.own, {pair.callee.language()}); };
  checks["error-through-callee"] = [](Pair& pair) { passes(pair.callee, {pair.own.language()}); };
  checks["error-through-three"] = through_three;
  checks["error-missing-function"] = missing_function;
  checks["error-missing-class"] = [](Pair& pair) {
    auto error = expect(SABIR_OK, [&] { ask<int>(missing_class(pair.callee.language()), "add", 1); });
    contains(everything(error), "NoSuchClass");
  };
  checks["error-too-many-arguments"] = [](Pair& pair) {
    misfit(SABIR_INVALID_ARGUMENT, [&] { pair.callee.call<int>("add", 1, 2, 3); });
  };
  checks["error-wrong-type"] = [](Pair& pair) {
    misfit(of_wrong_type(pair),
           [&] { pair.callee.call<int>("add", std::vector<int>{1}, sabir::Value(sabir::Value::Map())); });
  };
  checks["error-constructor"] = [](Pair& pair) {
    auto recorder = pair.callee.recorder(-1);
    contains(everything(expect(SABIR_ACTOR_DIED, [&] { ask<int>(recorder, "add", 1); })), "below zero");
  };
  checks["error-method"] = in_method;
  checks["error-then-success"] = [](Pair& pair) {
    for (int i = 0; i < 3; ++i) {
      expect(SABIR_TASK_FAILED, [&] { pair.callee.run("through", std::vector<std::string>(), "again"); });
    }
    equal(pair.callee.call<int>("add", 2, 2), 4);
  };
  checks["error-nested-65"] = [](Pair& pair) {
    sabir::Value deep = sabir::Value::List();
    for (int i = 0; i < 64; ++i) {
      deep = sabir::Value::List{std::move(deep)};
    }
    contains(expect(SABIR_INVALID_ARGUMENT, [&] { pair.callee.run("echo", deep); }).message(), "64");
  };
  checks["error-no-unicode"] = [](Pair& pair) {
    expect(SABIR_INVALID_ARGUMENT, [&] { pair.callee.run("echo", std::vector<std::string>{"half \xf0\x9f"}); });
  };
  checks["own-form-result"] = [](Pair& pair) {
    auto error = expect(SABIR_INVALID_ARGUMENT, [&] { pair.callee.call<sabir::Value>("own"); });
    contains(error.message(), pair.callee.language() == "python" ? "Python" : "Java");
  };
}

}  // namespace conformance
