// Result<T>: a value or an error, for those who do not want exceptions: what try_get, try_remote and so on return.
#ifndef SABIR_RESULT_HPP_
#define SABIR_RESULT_HPP_

#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

#include "sabir/error.hpp"

SABIR_NAMESPACE_BEGIN

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor): `return value;`
  Result(const Error& error) : error_(error.info()) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  // Throws the error if there is no value.
  T& value() & { return check(), *value_; }
  const T& value() const& { return check(), *value_; }
  T&& value() && { return check(), std::move(*value_); }
  // Only if ok().
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // Only if not ok().
  const ErrorInfo& error() const { return *error_; }
  sabir_status status() const { return ok() ? sabir_status{SABIR_OK} : error_->status; }

 private:
  void check() const {
    if (!ok()) {
      throw_error(error_);
    }
  }

  std::optional<T> value_;
  std::shared_ptr<const ErrorInfo> error_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(const Error& error) : error_(error.info()) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  void value() const {
    if (!ok()) {
      throw_error(error_);
    }
  }
  const ErrorInfo& error() const { return *error_; }
  sabir_status status() const { return ok() ? sabir_status{SABIR_OK} : error_->status; }

 private:
  std::shared_ptr<const ErrorInfo> error_;
};

// What `function` returns, or the sabir::Error that it throws; other exceptions pass.
template <typename Function>
auto attempt(Function&& function) -> Result<std::invoke_result_t<Function>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
      std::forward<Function>(function)();
      return {};
    } else {
      return std::forward<Function>(function)();
    }
  } catch (const Error& error) {
    return error;
  }
}

SABIR_NAMESPACE_END

#endif  // SABIR_RESULT_HPP_
