// What is called, in C++: the same functions and the same actor as python/conformance_callee.py and java/Callee.java
// have. What they do is said in ../scenarios.py, for all three.
#include "callee.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "samples.hpp"
#include "text.hpp"

namespace conformance {
namespace {

using sabir::ActorHandle;
using sabir::ObjectRef;
using sabir::Value;

constexpr auto kWait = std::chrono::seconds(60);

std::string describe(const Value& value) { return text_of(value); }
Value echo(const Value& value) { return value; }
Value make(const std::string& name) { return sample(name); }
int add(int a, int b) { return a + b; }
std::string join(const Value& a, const Value& b, const Value& c, const Value& d, const Value& e, const Value& f,
                 const Value& g, const Value& h, const Value& i, const Value& j) {
  return text_of(Value::List{a, b, c, d, e, f, g, h, i, j});
}
void nothing() {}
std::tuple<Value, Value> pair(const Value& a, const Value& b) { return {b, a}; }
double total(const Value& value) {
  sabir::Tensor<float> tensor(value.as<sabir::AnyTensor>());
  double sum = 0;
  for (float number : tensor) {
    sum += number;
  }
  return sum;
}

std::vector<ObjectRef<Value>> store(const Value& value) { return {sabir::put(value)}; }
int sleep(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  return milliseconds;
}
std::vector<ObjectRef<int>> later(int milliseconds) { return {sabir::cpp_function<int>("sleep").remote(milliseconds)}; }
int gather(const std::vector<ObjectRef<int>>& refs) {
  int sum = 0;
  for (int number : sabir::get(refs, kWait)) {
    sum += number;
  }
  return sum;
}
std::string idof(const std::vector<ObjectRef<Value>>& refs) { return refs.at(0).id(); }

void fail(const std::string& message) { throw std::invalid_argument(message); }
void chain(const std::string& message) {
  try {
    fail(message);
  } catch (const std::invalid_argument&) {
    std::throw_with_nested(std::runtime_error("around it"));
  }
}
struct Odd {};
void odd() { throw Odd(); }
int through(const std::vector<std::string>& languages, const std::string& message) {
  if (languages.empty()) {
    fail(message);
  }
  std::vector<std::string> rest(languages.begin() + 1, languages.end());
  return function_of<int>(languages[0], "through").remote(rest, message).get(kWait);
}
int relay(const std::string& language, int a, int b) {
  return function_of<int>(language, "add").remote(a, b).get(kWait);
}
int fibonacci(int n) {
  if (n < 2) {
    return n;
  }
  auto again = sabir::cpp_function<int>("fibonacci");
  auto one = again.remote(n - 1);
  auto two = again.remote(n - 2);
  return one.get(kWait) + two.get(kWait);
}

void die(const std::string& how) {
  if (how == "exit") {
    _exit(7);
  }
  int number = how == "segfault" ? SIGSEGV : SIGABRT;
  std::signal(number, SIG_DFL);
  kill(getpid(), number);
  std::this_thread::sleep_for(kWait);
}
uint32_t flaky(uint32_t attempts) {
  uint32_t attempt = sabir::context().attempt;
  if (attempt < attempts) {
    throw std::runtime_error("attempt " + std::to_string(attempt) + " fails");
  }
  return attempt;
}
uint32_t mortal(uint32_t attempts) {
  uint32_t attempt = sabir::context().attempt;
  if (attempt < attempts) {
    die("abort");
  }
  return attempt;
}
int pid() { return getpid(); }

bool meet(const std::string& folder, const std::string& name, ptrdiff_t count, int milliseconds) {
  std::filesystem::path mine = std::filesystem::path(folder) / name;
  std::ofstream(mine).close();
  auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    std::filesystem::directory_iterator files(folder);
    if (std::distance(begin(files), end(files)) >= count) {
      return true;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      std::filesystem::remove(mine);
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

int nudge(const ActorHandle<>& handle, int amount) { return handle.task<int>("add").remote(amount).get(kWait); }
int nudge_all(const std::vector<ActorHandle<>>& handles, int amount) {
  int sum = 0;
  for (const ActorHandle<>& handle : handles) {
    sum += nudge(handle, amount);
  }
  return sum;
}
int nudge_named(const std::string& name, int amount) { return nudge(sabir::get_actor(name), amount); }

class Recorder {
 public:
  explicit Recorder(int start) : value_(start) {
    if (start < 0) {
      throw std::invalid_argument("a recorder below zero");
    }
  }
  static std::unique_ptr<Recorder> create(int start) { return std::make_unique<Recorder>(start); }

  int add(int amount) {
    amounts_.push_back(amount);
    return value_ += amount;
  }
  const std::vector<int>& history() const { return amounts_; }
  void fail(const std::string& message) { conformance::fail(message); }
  int sleep(int milliseconds) { return conformance::sleep(milliseconds); }
  void die(const std::string& how) { conformance::die(how); }
  uint32_t mortal(uint32_t attempts) { return conformance::mortal(attempts); }
  int pid() const { return getpid(); }
  void keep(std::vector<ObjectRef<int>> refs) { kept_ = std::move(refs); }
  int total() const { return gather(kept_); }
  const std::vector<ObjectRef<int>>& lend() const { return kept_; }
  int hold(sabir::AnyTensor tensor) {
    held_.push_back(std::move(tensor));
    return static_cast<int>(held_.size());
  }
  void drop() { held_.clear(); }
  void befriend(std::vector<ActorHandle<>> handles) { friends_ = std::move(handles); }
  int forward(int amount) { return nudge_all(friends_, amount); }
  void leave() { sabir::exit_actor(); }

 private:
  int value_;
  std::vector<int> amounts_;
  std::vector<ObjectRef<int>> kept_;
  std::vector<ActorHandle<>> friends_;
  std::vector<sabir::AnyTensor> held_;
};

}  // namespace

SABIR_REMOTE(describe, echo, make, add, join, nothing, pair, total, store, later, gather, idof, fail, chain, odd);
SABIR_REMOTE(through, relay, fibonacci, flaky, mortal, die, sleep, pid, meet, nudge, nudge_all, nudge_named);
SABIR_REMOTE(Recorder::create, &Recorder::add, &Recorder::history, &Recorder::fail, &Recorder::sleep, &Recorder::die,
             &Recorder::mortal, &Recorder::pid, &Recorder::keep, &Recorder::total, &Recorder::lend, &Recorder::hold,
             &Recorder::drop, &Recorder::befriend, &Recorder::forward, &Recorder::leave);

}  // namespace conformance
