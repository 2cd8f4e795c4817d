// Errors: one type per thing that a caller can do about it, the same kinds as in every other language.
//
//   Error
//    +-- TaskError               user code raised: type(), stack() and cause() say what and where
//    +-- WorkerCrashedError      the process that ran the task died, its retries are used up
//    +-- ActorDiedError          the actor is gone for good
//    +-- ActorUnavailableError   the actor restarts; this call was not retried
//    +-- TimeoutError            the deadline passed first: call again
//    +-- CancelledError
//    +-- UnschedulableError      it may run on one node only, which is gone or can never run it
//    +-- GroupRemovedError       its placement group was removed, or ended with its job
//    +-- ObjectLostError         the value is gone and cannot be made again
//    +-- StoreFullError          no room for objects: drop references
//    +-- OutOfMemoryError        a limit of the machine or of the session was reached
//    +-- InvalidArgumentError    the call is wrong: mend the program
//    |    +-- ConversionError    a value that cannot be sent, or is not of the type that was asked for
//    +-- NotFoundError           no such function, class, name
//    +-- NameTakenError          the name is taken
//    +-- ClosedError             no init(), or after shutdown()
//    +-- ForkedError             used in a fork of the process that called init()
//    +-- DisconnectedError       the node is gone
//    +-- IncompatibleError       the session runs another version of Sabir
//    +-- InterruptedError
//    +-- SystemError             the operating system refused, or a defect of Sabir
#ifndef SABIR_ERROR_HPP_
#define SABIR_ERROR_HPP_

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN

enum class Language : uint8_t {
  kNone = SABIR_LANGUAGE_NONE,
  kPython = SABIR_LANGUAGE_PYTHON,
  kJava = SABIR_LANGUAGE_JAVA,
  kCpp = SABIR_LANGUAGE_CPP,
  kC = SABIR_LANGUAGE_C,
};

inline const char* language_name(Language language) {
  switch (language) {
    case Language::kPython:
      return "Python";
    case Language::kJava:
      return "Java";
    case Language::kCpp:
      return "C++";
    case Language::kC:
      return "C";
    default:
      return "unknown";
  }
}

// What is known of an error. `cause` is what it was caused by, maybe in another language.
struct ErrorInfo {
  sabir_status status = SABIR_INTERNAL;
  Language language = Language::kNone;
  std::string message;
  std::string type;   // of the exception in user code: "std::out_of_range", "builtins.ValueError"; else ""
  std::string stack;  // its traceback, where the language has one
  std::string native;
  std::shared_ptr<const ErrorInfo> cause;
};

class Error : public std::exception {
 public:
  explicit Error(std::shared_ptr<const ErrorInfo> info) : info_(std::move(info)), what_(describe(*info_)) {}
  Error(sabir_status status, std::string message) : Error(make(status, std::move(message))) {}

  // The message, and the stacks of the error and of its causes.
  const char* what() const noexcept override { return what_.c_str(); }
  sabir_status status() const { return info_->status; }
  const std::string& message() const { return info_->message; }
  const std::string& type() const { return info_->type; }
  const std::string& stack() const { return info_->stack; }
  Language language() const { return info_->language; }
  // Null: none.
  const ErrorInfo* cause() const { return info_->cause.get(); }
  const std::shared_ptr<const ErrorInfo>& info() const { return info_; }

 private:
  static std::shared_ptr<const ErrorInfo> make(sabir_status status, std::string message) {
    auto info = std::make_shared<ErrorInfo>();
    info->status = status;
    info->language = Language::kCpp;
    info->message = std::move(message);
    return info;
  }

  static std::string describe(const ErrorInfo& info) {
    std::string text = info.message;
    for (const ErrorInfo* at = &info; at != nullptr; at = at->cause.get()) {
      if (at != &info) {
        text += "\n\nCaused by (" + std::string(language_name(at->language)) + "): " + at->message;
      }
      if (!at->stack.empty()) {
        text += "\n\nRemote stack (" + std::string(language_name(at->language)) + "):\n" + at->stack;
      }
    }
    return text;
  }

  std::shared_ptr<const ErrorInfo> info_;
  std::string what_;
};

#define SABIR_ERROR_TYPE(Name, Base)                                                     \
  class Name : public Base {                                                             \
   public:                                                                               \
    explicit Name(std::shared_ptr<const ErrorInfo> info) : Base(std::move(info)) {}      \
    Name(sabir_status status, std::string message) : Base(status, std::move(message)) {} \
  }
SABIR_ERROR_TYPE(TaskError, Error);
SABIR_ERROR_TYPE(WorkerCrashedError, Error);
SABIR_ERROR_TYPE(ActorDiedError, Error);
SABIR_ERROR_TYPE(ActorUnavailableError, Error);
SABIR_ERROR_TYPE(TimeoutError, Error);
SABIR_ERROR_TYPE(CancelledError, Error);
SABIR_ERROR_TYPE(ObjectLostError, Error);
SABIR_ERROR_TYPE(UnschedulableError, Error);
SABIR_ERROR_TYPE(GroupRemovedError, Error);
SABIR_ERROR_TYPE(StoreFullError, Error);
SABIR_ERROR_TYPE(OutOfMemoryError, Error);
SABIR_ERROR_TYPE(InvalidArgumentError, Error);
SABIR_ERROR_TYPE(NotFoundError, Error);
SABIR_ERROR_TYPE(NameTakenError, Error);
SABIR_ERROR_TYPE(ClosedError, Error);
SABIR_ERROR_TYPE(ForkedError, Error);
SABIR_ERROR_TYPE(DisconnectedError, Error);
SABIR_ERROR_TYPE(IncompatibleError, Error);
SABIR_ERROR_TYPE(InterruptedError, Error);
SABIR_ERROR_TYPE(SystemError, Error);
#undef SABIR_ERROR_TYPE

class ConversionError : public InvalidArgumentError {
 public:
  explicit ConversionError(std::string message) : InvalidArgumentError(SABIR_INVALID_ARGUMENT, std::move(message)) {}
};

// Throws the type that belongs to the status.
[[noreturn]] inline void throw_error(std::shared_ptr<const ErrorInfo> info) {
  switch (info->status) {
    case SABIR_INVALID_ARGUMENT:
      throw InvalidArgumentError(std::move(info));
    case SABIR_NOT_FOUND:
      throw NotFoundError(std::move(info));
    case SABIR_ALREADY_EXISTS:
      throw NameTakenError(std::move(info));
    case SABIR_TIMEOUT:
      throw TimeoutError(std::move(info));
    case SABIR_INTERRUPTED:
      throw InterruptedError(std::move(info));
    case SABIR_CLOSED:
      throw ClosedError(std::move(info));
    case SABIR_FORKED:
      throw ForkedError(std::move(info));
    case SABIR_DISCONNECTED:
      throw DisconnectedError(std::move(info));
    case SABIR_INCOMPATIBLE:
      throw IncompatibleError(std::move(info));
    case SABIR_STORE_FULL:
      throw StoreFullError(std::move(info));
    case SABIR_OUT_OF_MEMORY:
      throw OutOfMemoryError(std::move(info));
    case SABIR_TASK_FAILED:
      throw TaskError(std::move(info));
    case SABIR_WORKER_CRASHED:
      throw WorkerCrashedError(std::move(info));
    case SABIR_ACTOR_DIED:
      throw ActorDiedError(std::move(info));
    case SABIR_ACTOR_UNAVAILABLE:
      throw ActorUnavailableError(std::move(info));
    case SABIR_OBJECT_LOST:
      throw ObjectLostError(std::move(info));
    case SABIR_CANCELLED:
      throw CancelledError(std::move(info));
    case SABIR_UNSCHEDULABLE:
      throw UnschedulableError(std::move(info));
    case SABIR_GROUP_REMOVED:
      throw GroupRemovedError(std::move(info));
    default:
      throw SystemError(std::move(info));
  }
}

namespace detail {

[[noreturn]] inline void throw_status(sabir_status status, std::string message) {
  auto info = std::make_shared<ErrorInfo>();
  info->status = status;
  info->language = Language::kCpp;
  info->message = std::move(message);
  throw_error(std::move(info));
}

// As the C interface takes it, which waits for ever below zero. Here such a duration is a mistake of who computed it.
inline int64_t timeout_ns(Duration timeout) {
  if (timeout.count() < 0) {
    throw_status(SABIR_INVALID_ARGUMENT,
                 "a timeout must be at least 0, or sabir::kForever, not " + std::to_string(timeout.count()) + " ns");
  }
  return timeout == kForever ? -1 : static_cast<int64_t>(timeout.count());
}

// Takes over `error`.
inline std::string take_message(sabir_error* error) {
  std::string message(view_of(sabir_error_message(error)));
  sabir_error_destroy(error);
  return message;
}

// Takes over `error`, which a failed call of the C interface set.
[[noreturn]] inline void throw_c_error(sabir_status status, sabir_error* error) {
  std::string message(error != nullptr ? view_of(sabir_error_message(error)) : view_of(sabir_status_name(status)));
  sabir_error_destroy(error);
  throw_status(status, std::move(message));
}

}  // namespace detail

SABIR_NAMESPACE_END

#endif  // SABIR_ERROR_HPP_
