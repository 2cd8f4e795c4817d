// Functions and actors that the tests call. They are in support/remote.cc, and again in a library of their own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sabir/sabir.hpp"

namespace sabir_test {

struct Point {
  double x = 0;
  double y = 0;
};

}  // namespace sabir_test

SABIR_STRUCT(sabir_test::Point, x, y);

namespace sabir_test {

int plus(int a, int b);
std::string join(std::string_view left, const std::string& right);
std::vector<std::string> reversed(std::vector<std::string> words);
Point mirrored(const Point& point);
void nothing();
sabir::Value echo(const sabir::Value& value);
std::tuple<int, std::string> two();
sabir::Tensor<double> doubled(sabir::Tensor<double> numbers);
uint64_t address_of(sabir::Tensor<uint8_t> bytes);
sabir::Tensor<uint8_t> bytes_of(uint64_t size);
int follow(sabir::ObjectRef<int> ref);
int follow_all(const std::map<std::string, std::vector<sabir::ObjectRef<int>>>& refs);
std::vector<sabir::ObjectRef<int>> make_refs(int count);
int depth(int levels);
int slow(int ms, int value);
int pid();
void fail(const std::string& how);
int fail_until(int attempt);
int crash_until(int attempt);
void segfault();
int call_failing();

class Base {
 public:
  virtual ~Base() = default;
  std::string base_name() const { return "base of " + std::to_string(number_); }
  virtual std::string kind() const { return "base"; }

 protected:
  int number_ = 0;
};
class Other {
 public:
  virtual ~Other() = default;
  int other() { return ++calls_; }

 private:
  int calls_ = 100;
};

class Counter : public Other, public Base {
 public:
  explicit Counter(int start) { number_ = start; }
  static std::unique_ptr<Counter> create(int start) { return std::make_unique<Counter>(start); }

  int add(int amount) { return number_ += amount; }
  int value() const noexcept { return number_; }
  void append(int number) { seen_.push_back(number); }
  const std::vector<int>& seen() const { return seen_; }
  std::string kind() const override { return "counter"; }
  int pid() const;
  void leave();
  void crash();
  int sleep(int ms);
  // Adds through a handle that came as an argument.
  int add_to(sabir::ActorHandle<Counter> other, int amount);
  void keep(sabir::ObjectRef<int> ref) { kept_ = std::move(ref); }
  int kept() const { return kept_.get(); }
  void keep_tensor(sabir::Tensor<int> numbers) { tensor_ = std::move(numbers); }
  int tensor_sum() const;

 private:
  std::vector<int> seen_;
  sabir::ObjectRef<int> kept_;
  sabir::Tensor<int> tensor_;
};

// Its factory throws.
class Broken {
 public:
  static Broken create();
  void call() {}
};

int call_counter(sabir::ActorHandle<Counter> counter);

}  // namespace sabir_test
