// Options of tasks and actors. Aggregates: in C++20 `.options({.num_cpus = 2})`.
#ifndef SABIR_OPTIONS_HPP_
#define SABIR_OPTIONS_HPP_

#include <cstdio>
#include <initializer_list>
#include <map>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "sabir/runtime_env.hpp"
#include "sabir/scheduling.hpp"
#include "sabir/type_name.hpp"

SABIR_NAMESPACE_BEGIN

// Amounts of resources by name.
using Resources = std::map<std::string, double>;

// Which exceptions of a function are retried: none, all (true), or those of some types and of what is derived from
// them. Types are named as in the language of the function: "std::out_of_range", "ValueError", "java.io.IOException".
class RetryExceptions {
 public:
  RetryExceptions() = default;
  // Nothing that converts to bool, such as a text.
  template <typename Bool, std::enable_if_t<std::is_same_v<Bool, bool>, int> = 0>
  RetryExceptions(Bool all) : any_(all) {}  // NOLINT(google-explicit-constructor)
  RetryExceptions(std::initializer_list<std::string> types) : RetryExceptions(std::vector<std::string>(types)) {}
  RetryExceptions(std::vector<std::string> types)  // NOLINT(google-explicit-constructor)
      : any_(!types.empty()), types_(std::move(types)) {}
  // Those of C++.
  template <typename... E>
  static RetryExceptions of() {
    return RetryExceptions(std::vector<std::string>{detail::type_name(typeid(E))...});
  }

  bool any() const { return any_; }
  const std::vector<std::string>& types() const { return types_; }  // empty: all

 private:
  bool any_ = false;
  std::vector<std::string> types_;
};

struct TaskOptions {
  double num_cpus = 1;
  double num_gpus = 0;
  Resources resources = {};
  int32_t max_retries = 3;                // after the death of a worker; -1: for ever
  RetryExceptions retry_exceptions = {};  // also when the function threw
  std::string name = {};                  // for logs and errors; "": the function's
  RuntimeEnv runtime_env = {};
  Scheduling scheduling = {};  // where it runs

  bool is_default() const {
    return num_cpus == 1 && num_gpus == 0 && resources.empty() && max_retries == 3 && !retry_exceptions.any() &&
           name.empty() && runtime_env.empty() && scheduling.is_default();
  }
  // Different for options that differ.
  std::string key() const {
    char numbers[96];
    std::snprintf(numbers, sizeof(numbers), "%.17g %.17g %d %d ", num_cpus, num_gpus, static_cast<int>(max_retries),
                  retry_exceptions.any() ? 1 : 0);
    std::string made = numbers;
    for (const auto& resource : resources) {
      std::snprintf(numbers, sizeof(numbers), "%zu %.17g ", resource.first.size(), resource.second);
      made += numbers + resource.first;
    }
    return made + std::to_string(name.size()) + " " + name + " " + scheduling.key() + " ";
  }
};

struct ActorOptions {
  double num_cpus = 0;  // held while it lives
  double num_gpus = 0;
  Resources resources = {};
  std::string name = {};         // "": none
  std::string name_space = {};   // "": the job's
  int32_t max_restarts = 0;      // -1: for ever
  int32_t max_task_retries = 0;  // -1: for ever
  bool detached = false;         // it outlives its handles and its job
  bool get_if_exists = false;    // with a name: the existing actor instead of NameTakenError
  RuntimeEnv runtime_env = {};
  Scheduling scheduling = {};  // where it runs
};

namespace detail {

// Resources as the C interface takes them; those of amount 0 are left out.
class ResourceList {
 public:
  ResourceList(double num_cpus, double num_gpus, const Resources& others) {
    list_.reserve(others.size() + 2);  // data() is not null then, which would stand for the default
    add("CPU", num_cpus);
    add("GPU", num_gpus);
    for (const auto& resource : others) {
      add(resource.first, resource.second);
    }
  }
  const sabir_resource* data() const { return list_.data(); }
  size_t size() const { return list_.size(); }

 private:
  void add(std::string_view name, double amount) {
    if (amount != 0) {
      list_.push_back({string_of(name), amount});
    }
  }
  std::vector<sabir_resource> list_;
};

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_OPTIONS_HPP_
