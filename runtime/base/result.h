// Result<T>: a value, or an Error that says what the caller should do.
//
// Expected failures (I/O, other processes, user input) are values of this type; only a broken
// invariant of our own ends the process (check.h). Nothing of ours throws.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "runtime/base/check.h"

namespace sabir {

// Few kinds, the same on the wire, in sabir.h (sabir_status has the same numbers) and in every SDK. Litmus
// test for a new one: would a caller act differently?
enum class ErrorKind : uint8_t {
  kInvalid = 1,            // the request is wrong: change it; trying again never helps
  kNotFound = 2,           // what it names does not exist, or not yet, or no longer
  kAlreadyExists = 3,      // the name is taken: take another, or get the existing one
  kTimeout = 4,            // the time is over: the outcome is unknown
  kInterrupted = 5,        // a signal or a request of the caller: nothing is lost, call again
  kClosed = 6,             // shut down by this process
  kForked = 7,             // this process is a fork of the one that owned it
  kDisconnected = 8,       // the other side is gone: treat what it held as lost
  kUnsupported = 9,        // this version or machine cannot do it: take another way
  kStoreFull = 10,         // no room for objects: release some, then try again
  kExhausted = 11,         // another limit: wait or free something, then try again
  kTaskFailed = 12,        // user code raised
  kWorkerCrashed = 13,     // the process that ran a call died
  kActorDied = 14,         // the actor is gone for good
  kActorUnavailable = 15,  // the actor restarts
  kObjectLost = 16,        // the value is gone and cannot be made again
  kCancelled = 17,         // somebody asked for the end: stop, do not retry
  kSystem = 18,            // the operating system refused
  kInternal = 19,          // our own fault: report it
  kUnschedulable = 20,     // it is bound to a node that is not there, or can never run it: bind it to another
  kGroupRemoved = 21,      // its placement group was removed: make another one
};

inline constexpr ErrorKind kLastErrorKind = ErrorKind::kGroupRemoved;

// "invalid", "not found", ...
std::string_view error_kind_name(ErrorKind kind);

class [[nodiscard]] Error {
 public:
  Error(ErrorKind kind, std::string message) : kind_(kind), message_(std::move(message)) {}

  // `what` failed with this errno; the kind follows from the errno. "open /x: No such file or
  // directory".
  static Error from_errno(int error_number, std::string_view what);

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  // The errno behind it, or 0.
  int error_number() const { return error_number_; }

  // "not found: open /x: No such file or directory"
  std::string to_string() const;

  // The same error with "where: " before its message.
  Error with_context(std::string_view where) &&;

 private:
  ErrorKind kind_;
  int error_number_ = 0;
  std::string message_;
};

inline Error invalid_error(std::string message) { return {ErrorKind::kInvalid, std::move(message)}; }
inline Error not_found_error(std::string message) { return {ErrorKind::kNotFound, std::move(message)}; }
inline Error exhausted_error(std::string message) { return {ErrorKind::kExhausted, std::move(message)}; }
inline Error disconnected_error(std::string message) { return {ErrorKind::kDisconnected, std::move(message)}; }
inline Error timeout_error(std::string message) { return {ErrorKind::kTimeout, std::move(message)}; }
inline Error already_exists_error(std::string message) { return {ErrorKind::kAlreadyExists, std::move(message)}; }
inline Error closed_error(std::string message) { return {ErrorKind::kClosed, std::move(message)}; }
inline Error store_full_error(std::string message) { return {ErrorKind::kStoreFull, std::move(message)}; }
inline Error cancelled_error(std::string message) { return {ErrorKind::kCancelled, std::move(message)}; }
inline Error unsupported_error(std::string message) { return {ErrorKind::kUnsupported, std::move(message)}; }
inline Error internal_error(std::string message) { return {ErrorKind::kInternal, std::move(message)}; }

// Asking a Result for what it does not hold is a broken invariant and ends the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    check_ok();
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    check_ok();
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  T value_or(T fallback) && { return ok() ? std::move(*this).value() : std::move(fallback); }

  const Error& error() const& {
    SABIR_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    SABIR_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  void check_ok() const {
    if (!ok()) [[unlikely]] {
      check_failed(__FILE__, __LINE__, "result.ok()", std::get_if<1>(&state_)->to_string());
    }
  }

  std::variant<T, Error> state_;
};

// Success without a value: `return {};`
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() : error_(ErrorKind::kInternal, {}), ok_(true) {}
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit on purpose

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }

  void value() const {
    if (!ok_) [[unlikely]] {
      check_failed(__FILE__, __LINE__, "result.ok()", error_.to_string());
    }
  }

  const Error& error() const& {
    SABIR_CHECK(!ok_);
    return error_;
  }
  Error&& error() && {
    SABIR_CHECK(!ok_);
    return std::move(error_);
  }

 private:
  Error error_;
  bool ok_;
};

}  // namespace sabir

#define SABIR_CONCAT_INNER(a, b) a##b
#define SABIR_CONCAT(a, b) SABIR_CONCAT_INNER(a, b)

// SABIR_RETURN_IF_ERROR(send(message));
#define SABIR_RETURN_IF_ERROR(expression)                       \
  do {                                                          \
    if (auto sabir_result = (expression); !sabir_result.ok()) { \
      return std::move(sabir_result).error();                   \
    }                                                           \
  } while (false)

// SABIR_ASSIGN_OR_RETURN(auto size_bytes, file_size(fd));
#define SABIR_ASSIGN_OR_RETURN(declaration, expression) \
  SABIR_ASSIGN_OR_RETURN_INNER(SABIR_CONCAT(sabir_result_, __LINE__), declaration, expression)
#define SABIR_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) {                                                 \
    return std::move(result).error();                                 \
  }                                                                   \
  declaration = std::move(result).value()
