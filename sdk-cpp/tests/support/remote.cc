#include "support/remote.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace sabir_test {

int plus(int a, int b) { return a + b; }
std::string join(std::string_view left, const std::string& right) { return std::string(left) + right; }
std::vector<std::string> reversed(std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());
  return words;
}
Point mirrored(const Point& point) { return {point.y, point.x}; }
void nothing() {}
sabir::Value echo(const sabir::Value& value) { return value; }
std::tuple<int, std::string> two() { return {1, "second"}; }
sabir::Tensor<double> doubled(sabir::Tensor<double> numbers) {
  std::vector<double> made(numbers.begin(), numbers.end());
  for (double& number : made) {
    number *= 2;
  }
  return sabir::Tensor<double>::of(std::move(made), numbers.shape());
}
uint64_t address_of(sabir::Tensor<uint8_t> bytes) { return reinterpret_cast<uintptr_t>(bytes.data()) % 4096; }
sabir::Tensor<uint8_t> bytes_of(uint64_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; i += 4096) {
    bytes[i] = static_cast<uint8_t>(i / 4096);
  }
  return sabir::Tensor<uint8_t>::of(std::move(bytes));
}
int follow(sabir::ObjectRef<int> ref) { return ref.get(); }
int follow_all(const std::map<std::string, std::vector<sabir::ObjectRef<int>>>& refs) {
  int sum = 0;
  for (const auto& entry : refs) {
    for (int value : sabir::get(entry.second)) {
      sum += value;
    }
  }
  return sum;
}
std::vector<sabir::ObjectRef<int>> make_refs(int count) {
  std::vector<sabir::ObjectRef<int>> refs;
  for (int i = 0; i < count; ++i) {
    refs.push_back(i % 2 == 0 ? sabir::put(i) : sabir::task(plus).remote(i, 0));
  }
  return refs;
}
int depth(int levels) { return levels == 0 ? 0 : 1 + sabir::task(depth).remote(levels - 1).get(); }
int slow(int ms, int value) {
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
  return value;
}
int pid() { return getpid(); }

struct Unprintable {};
void fail(const std::string& how) {
  if (how == "nested") {
    try {
      throw std::out_of_range("the inner one");
    } catch (...) {
      std::throw_with_nested(std::runtime_error("the outer one"));
    }
  } else if (how == "int") {
    throw 42;
  } else if (how == "struct") {
    throw Unprintable();
  } else if (how == "text") {
    throw std::string("only text");
  } else if (how == "not utf-8") {
    throw std::runtime_error("\xff broken");
  }
  throw std::runtime_error(how);
}
int fail_until(int attempt) {
  auto now = static_cast<int>(sabir::context().attempt);
  if (now < attempt) {
    throw std::runtime_error("not yet");
  }
  return now;
}
int crash_until(int attempt) {
  auto now = static_cast<int>(sabir::context().attempt);
  if (now < attempt) {
    raise(SIGKILL);
  }
  return now;
}
void segfault() {
  signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would print pages
  raise(SIGSEGV);
}
int call_failing() {
  sabir::task(fail).remote("deep down").get();
  return 0;
}
int call_counter(sabir::ActorHandle<Counter> counter) { return counter.task(&Counter::add).remote(10).get(); }

int Counter::pid() const { return getpid(); }
void Counter::leave() { sabir::exit_actor(); }
void Counter::crash() { raise(SIGKILL); }
int Counter::sleep(int ms) { return slow(ms, number_); }
int Counter::add_to(sabir::ActorHandle<Counter> other, int amount) {
  return other.task(&Counter::add).remote(amount).get();
}
int Counter::tensor_sum() const { return std::accumulate(tensor_.begin(), tensor_.end(), 0); }
Broken Broken::create() { throw std::logic_error("this class cannot be made"); }

SABIR_REMOTE(plus, join, reversed, mirrored, nothing, echo, two, doubled, address_of, bytes_of, follow, follow_all,
             make_refs, depth, slow, pid, fail, fail_until, crash_until, segfault, call_failing, call_counter);
SABIR_REMOTE(Counter::create, &Counter::add, &Counter::value, &Counter::append, &Counter::seen, &Counter::pid,
             &Counter::leave, &Counter::crash, &Counter::sleep, &Counter::add_to, &Counter::keep, &Counter::kept,
             &Counter::keep_tensor, &Counter::tensor_sum);
SABIR_REMOTE(&Base::base_name, &Base::kind, &Other::other);
SABIR_REMOTE(Broken::create, &Broken::call);
SABIR_REMOTE_AS("Counter", sabir::construct<Counter, int>);

}  // namespace sabir_test
