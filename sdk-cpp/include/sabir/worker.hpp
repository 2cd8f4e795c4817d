// A worker's life: join, run calls until the node says leave.
#ifndef SABIR_WORKER_HPP_
#define SABIR_WORKER_HPP_

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "sabir/code_path.hpp"
#include "sabir/failure.hpp"
#include "sabir/json.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

class Worker {
 public:
  explicit Worker(sabir_client* client, const JsonObject& job)
      : client_(client), code_path_(job.texts("code_search_path")) {}

  // Returns when this process is to end.
  void run() {
    sabir_queue* queue = sabir_client_work_queue(client_);
    for (;;) {
      sabir_event event{};
      size_t count = 0;
      sabir_status status = sabir_queue_next(queue, &event, 1, -1, nullptr, &count, nullptr);
      if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT) {
        continue;
      }
      if (status != SABIR_OK || count != 1 || event.kind != SABIR_EVENT_WORK) {
        break;  // SABIR_EVENT_EXIT, SABIR_CLOSED, SABIR_DISCONNECTED
      }
      execute(event.work);
    }
    instance_ = {};
  }

 private:
  struct Function {
    std::string name;
    const Entry* entry = nullptr;  // null: a method that every actor has, or not looked for yet
    std::vector<std::string> retry_exceptions = {};
  };

  void execute(sabir_work* work) {
    sabir_work_view view{};
    sabir_work_get_view(work, &view);
    Call call(work, view, instance_);
    std::string name = "a call";
    try {
      const Function& function = find(view, &name);
      if (function.entry == nullptr) {
        special(function, call);
      } else {
        run_user_code(function, view, call);
      }
    } catch (const Error& error) {
      if (!call.ended()) {
        fail_with_status(call, name, error);
      }
    }
  }

  // Errors of the call itself (missing functions, arguments of other types) pass as sabir::Error; those of user code
  // become the call's result here.
  void run_user_code(const Function& function, const sabir_work_view& view, Call& call) {
    const Entry& entry = *function.entry;
    try {
      (view.kind == SABIR_WORK_ACTOR_CREATE ? entry.create : entry.invoke)(entry, call);
    } catch (const CallError& error) {
      throw_error(error.info);
    } catch (const ActorExit&) {
      sabir_failure failure = SABIR_FAILURE_INIT;
      failure.kind = SABIR_ACTOR_DIED;
      failure.language = SABIR_LANGUAGE_CPP;
      failure.message = string_of("the actor has ended itself by exit_actor()");
      call.fail(failure);
    } catch (...) {
      // After the call has ended there is nobody to tell: a destructor threw.
      if (!call.ended()) {
        fail_with_exception(call, entry.name, function.retry_exceptions);
      }
    }
  }

  const Function& find(const sabir_work_view& view, std::string* out_name) {
    if (view.function_index >= functions_.size()) {
      functions_.resize(view.function_index + 1);
    }
    Function& function = functions_[view.function_index];
    if (function.entry != nullptr) {
      if (function.entry->is_method() != (view.kind == SABIR_WORK_ACTOR_CALL)) {
        throw_status(SABIR_INVALID_ARGUMENT, function.name + " is called as what it is not: a function, a method");
      }
      *out_name = function.name;
      return function;
    }
    sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
    check([&](sabir_error** error) { return sabir_function_get(client_, view.function_index, &info, error); });
    *out_name = function.name = std::string(view_of(info.name));
    std::string code(static_cast<const char*>(info.code.data), info.code.size);
    if (view.kind != SABIR_WORK_ACTOR_CALL) {
      CodeHead head = take_head(code);
      code_path_.add(head.code_search_path);
      function.retry_exceptions = std::move(head.retry_exceptions);
      function.entry = &code_path_.function(code, view.kind == SABIR_WORK_ACTOR_CREATE);
    } else if (code.compare(0, 2, "__") != 0) {
      if (instance_.type == nullptr) {
        throw_status(SABIR_INTERNAL, "the actor has no instance: its factory has not run");
      }
      function.entry = &code_path_.method(code, *instance_.type);
    }
    return function;
  }

  // Methods that every actor has.
  void special(const Function& function, Call& call) {
    Encoder result;
    if (function.name == "__sabir_ready__" || function.name == "__ray_ready__") {
      result.boolean(true);
    } else if (function.name == "__sabir_terminate__" || function.name == "__ray_terminate__") {
      check([&](sabir_error** error) { return sabir_worker_exit(client_, error); });
      result.null();
    } else {
      throw_status(SABIR_NOT_FOUND, "there is no such method");
    }
    call.finish(&result, 1);
  }

  sabir_client* client_;
  CodePath code_path_;
  Instance instance_;
  std::vector<Function> functions_;
};

inline bool launched_as_worker() { return std::getenv("SABIR_WORKER_TOKEN") != nullptr; }

// Joins the session that started this process, runs its calls and ends the process.
[[noreturn]] inline void run_worker() {
  sabir_client* client = nullptr;
  sabir_error* error = nullptr;
  if (sabir_client_start_worker({nullptr, 0}, {nullptr, 0}, &client, &error) != SABIR_OK) {
    std::fprintf(stderr, "sabir worker: %s\n", std::string(view_of(sabir_error_message(error))).c_str());
    std::_Exit(1);
  }
  // A program that a task starts is no worker.
  unsetenv("SABIR_WORKER_TOKEN");
  unsetenv("SABIR_SESSION");
  // A pipe is block buffered otherwise, and the driver would see lines late.
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);
  sabir_client_info info = SABIR_CLIENT_INFO_INIT;
  sabir_client_get_info(client, &info, nullptr);
  JsonObject job(std::string_view(static_cast<const char*>(info.job_config.data), info.job_config.size));
  if (std::string folder = job.text("cwd"); !folder.empty() && chdir(folder.c_str()) != 0) {
    // It is gone since; the worker stays where the node runs.
  }
  libraries().attach(client);
  {
    Worker worker(client, job);
    worker.run();
  }
  std::fflush(nullptr);
  libraries().attach(nullptr);
  sabir_client_destroy(client);
  std::exit(0);
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_WORKER_HPP_
