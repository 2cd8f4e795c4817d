// Options of tasks and actors. Aggregates: in C++20 `.options({.num_cpus = 2})`.
#ifndef SABIR_OPTIONS_HPP_
#define SABIR_OPTIONS_HPP_

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "sabir/runtime_env.hpp"

SABIR_NAMESPACE_BEGIN

// Amounts of resources by name.
using Resources = std::map<std::string, double>;

struct TaskOptions {
  double num_cpus = 1;
  double num_gpus = 0;
  Resources resources = {};
  int32_t max_retries = 3;        // after the death of a worker; -1: for ever
  bool retry_exceptions = false;  // also when the function threw
  std::string name = {};          // for logs and errors; "": the function's
  RuntimeEnv runtime_env = {};

  bool is_default() const {
    return num_cpus == 1 && num_gpus == 0 && resources.empty() && max_retries == 3 && !retry_exceptions &&
           name.empty() && runtime_env.empty();
  }
  // Different for options that differ.
  std::string key() const {
    char numbers[96];
    std::snprintf(numbers, sizeof(numbers), "%.17g %.17g %d %d ", num_cpus, num_gpus, static_cast<int>(max_retries),
                  retry_exceptions ? 1 : 0);
    std::string made = numbers;
    for (const auto& resource : resources) {
      std::snprintf(numbers, sizeof(numbers), "%zu %.17g ", resource.first.size(), resource.second);
      made += numbers + resource.first;
    }
    return made + std::to_string(name.size()) + " " + name + " ";
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
