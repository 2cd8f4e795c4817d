// What the scenarios of this program stand on: the languages that it calls, and checks.
#pragma once

#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "callee.hpp"
#include "text.hpp"

namespace conformance {

constexpr auto kWait = std::chrono::seconds(60);

// What a scenario saw and did not want.
class Unexpected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void require(bool condition, const std::string& about);

// Of this process; Unexpected if it is not set. Paths are between colons.
std::string environment(const char* name);
std::vector<std::string> paths_of(const char* name);

template <typename T>
std::string shown(const T& value) {
  if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return text_of(sabir::Value(value));
  } else {
    std::string text;
    for (const auto& item : value) {
      text += (text.empty() ? "" : ", ") + shown(item);
    }
    return "[" + text + "]";
  }
}

template <typename T>
void equal(const T& found, const T& wanted) {
  require(found == wanted, "found " + shown(found) + " instead of " + shown(wanted));
}

// A language as this program calls it.
class Peer {
 public:
  explicit Peer(std::string language) : language_(std::move(language)) {}

  const std::string& language() const { return language_; }
  template <typename R>
  auto function(const std::string& name) const {
    return function_of<R>(language_, name);
  }
  template <typename R, typename... A>
  R call(const std::string& name, const A&... argument) const {
    return function<R>(name).remote(argument...).get(kWait);
  }
  template <typename... A>
  void run(const std::string& name, const A&... argument) const {
    function<void>(name).remote(argument...).get(kWait);
  }
  sabir::ActorHandle<> recorder(int start, const sabir::ActorOptions& options = {}) const;

 private:
  std::string language_;
};

struct Pair {
  Peer callee;
  Peer own;  // this program's language, as it calls itself
  std::string folder;

  int folders = 0;  // made

  std::string empty_folder();
};

// One method of an actor, waited for.
template <typename R, typename... A>
R ask(const sabir::ActorHandle<>& actor, const std::string& method, const A&... argument) {
  return actor.task<R>(method).remote(argument...).get(kWait);
}

// The error that `action` throws, with this status; SABIR_OK: with any.
sabir::Error expect(sabir_status status, const std::function<void()>& action);

// Text, messages and stacks of an error and all of its causes.
std::string everything(const sabir::Error& error);
void contains(const std::string& text, const std::string& part);

// The exception that `fail` throws in this language, and what its stacks have of a function.
std::string exception_type(const std::string& language);
std::string in_stack(const std::string& language, const std::string& function);

// Until it is true; Unexpected if that takes longer than kWait.
void until(const std::function<bool()>& condition, const std::string& what);

// By name.
using Checks = std::map<std::string, std::function<void(Pair&)>>;
void add_call_checks(Checks& checks);
void add_reference_checks(Checks& checks);
void add_error_checks(Checks& checks);
void add_actor_checks(Checks& checks);
void add_name_checks(Checks& checks);
void add_failure_checks(Checks& checks);
void add_resource_checks(Checks& checks);
void add_store_checks(Checks& checks);

// The second driver of a session: finds the actor of this name, and reads what the first one gave it.
void join(const std::string& address, const std::string& name);

}  // namespace conformance
