// This process's membership in a session, and what is exported to it.
#ifndef SABIR_STATE_HPP_
#define SABIR_STATE_HPP_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "sabir/error.hpp"
#include "sabir/options.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Each executable or library has a copy of this, and all point at the one client of the process (library.hpp).
struct State {
  std::atomic<sabir_client*> client{nullptr};
  std::atomic<uint64_t> epoch{0};  // of the client: what was exported to an earlier one is void
};
SABIR_LOCAL inline State& state() {
  static State made;
  return made;
}

inline void attach_client(sabir_client* client) {
  state().client.store(client, std::memory_order_release);
  state().epoch.fetch_add(1, std::memory_order_acq_rel);
}

inline sabir_client* require_client() {
  sabir_client* client = state().client.load(std::memory_order_acquire);
  if (client == nullptr) {
    throw_status(SABIR_CLOSED, "Sabir is not started: call sabir::init() first");
  }
  return client;
}

// Calls `function(sabir_error**)`, and throws if it fails.
template <typename Function>
void check(Function&& function) {
  sabir_error* error = nullptr;
  if (sabir_status status = function(&error); status != SABIR_OK) {
    throw_c_error(status, error);
  }
}

// A function, class or method as it is known to the session: exported at its first use, again after another init().
class Exported {
 public:
  Exported(sabir_function_kind kind, Language language, std::string name, std::string code)
      : kind_(kind), language_(language), name_(std::move(name)), code_(std::move(code)) {}
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;

  // The same function, or one whose code is looked for in the environment's paths, too, and of whose exceptions only
  // some are retried (docs/values.md).
  Exported& in(const RuntimeEnv& env, const std::vector<std::string>& retry_exceptions = {});
  const std::string& name() const { return name_; }
  Language language() const { return language_; }

  // Borrowed: it lives until another init().
  sabir_function* function() {
    std::lock_guard<std::mutex> lock(mutex_);
    return current().get();
  }
  // The function with these options, ready to be called. Borrowed in the same way.
  sabir_task* task(const TaskOptions& options, uint32_t num_returns) {
    if (!options.runtime_env.empty() || !options.retry_exceptions.types().empty()) {
      TaskOptions others = options;
      others.runtime_env = {};
      others.retry_exceptions = options.retry_exceptions.any();
      return in(options.runtime_env, options.retry_exceptions.types()).task(others, num_returns);
    }
    std::lock_guard<std::mutex> lock(mutex_);
    FunctionHandle& function = current();
    bool is_plain = num_returns == 1 && options.is_default();
    if (is_plain && plain_ != nullptr) {
      return plain_;
    }
    TaskHandle& task = tasks_[options.key() + std::to_string(num_returns)];
    if (task == nullptr) {
      task = prepare(function.get(), options, num_returns);
    }
    plain_ = is_plain ? task.get() : plain_;
    return task.get();
  }

 private:
  struct Release {
    void operator()(sabir_function* function) const { sabir_function_release(function); }
    void operator()(sabir_task* task) const { sabir_task_release(task); }
  };
  using FunctionHandle = std::unique_ptr<sabir_function, Release>;
  using TaskHandle = std::unique_ptr<sabir_task, Release>;

  FunctionHandle& current() {
    sabir_client* client = require_client();
    uint64_t epoch = state().epoch.load(std::memory_order_acquire);
    if (function_ == nullptr || epoch_ != epoch) {
      plain_ = nullptr;
      tasks_.clear();
      sabir_function* made = nullptr;
      check([&](sabir_error** error) {
        return sabir_function_export(client, kind_, static_cast<sabir_language>(language_), string_of(name_),
                                     {code_.data(), code_.size()}, &made, error);
      });
      function_.reset(made);
      epoch_ = epoch;
    }
    return function_;
  }
  static TaskHandle prepare(sabir_function* function, const TaskOptions& options, uint32_t num_returns) {
    ResourceList resources(options.num_cpus, options.num_gpus, options.resources);
    sabir_task_options raw = SABIR_TASK_OPTIONS_INIT;
    raw.resources = resources.data();
    raw.resource_count = resources.size();
    raw.num_returns = num_returns;
    raw.max_retries = options.max_retries;
    raw.retry_errors = options.retry_exceptions.any() ? 1 : 0;
    raw.name = string_of(options.name);
    RawScheduling scheduling(options.scheduling);
    raw.scheduling = scheduling.get();
    sabir_task* made = nullptr;
    check([&](sabir_error** error) { return sabir_task_prepare(require_client(), function, &raw, &made, error); });
    return TaskHandle(made);
  }

  const sabir_function_kind kind_;
  const Language language_;
  const std::string name_;
  const std::string code_;
  std::mutex mutex_;
  uint64_t epoch_ = 0;
  FunctionHandle function_;
  std::map<std::string, TaskHandle> tasks_;
  sabir_task* plain_ = nullptr;  // of tasks_, for default options
};

// What is called by name: one for each name, for ever.
SABIR_LOCAL inline Exported& exported_by_name(sabir_function_kind kind, Language language, const std::string& name,
                                              const std::string& code) {
  static std::mutex mutex;
  static std::unordered_map<std::string, std::unique_ptr<Exported>> known;
  std::string key = std::to_string(kind) + " " + std::to_string(static_cast<int>(language)) + " " + code;
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<Exported>& found = known[key];
  if (found == nullptr) {
    found = std::make_unique<Exported>(kind, language, name, code);
  }
  return *found;
}

inline Exported& Exported::in(const RuntimeEnv& env, const std::vector<std::string>& retry_exceptions) {
  return env.empty() && retry_exceptions.empty()
             ? *this
             : exported_by_name(kind_, language_, name_, code_in(env, retry_exceptions, code_));
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_STATE_HPP_
