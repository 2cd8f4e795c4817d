// What user code threw, as an error value.
#ifndef SABIR_FAILURE_HPP_
#define SABIR_FAILURE_HPP_

#include <cxxabi.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sabir/error_value.hpp"
#include "sabir/invoke.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// The error that is being handled: with what was nested in it as its cause.
inline std::shared_ptr<ErrorInfo> describe_exception(int depth);

inline std::shared_ptr<const ErrorInfo> describe_nested(const std::exception& error, int depth) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
  if (nested == nullptr || nested->nested_ptr() == nullptr || depth >= kCauseDepthMax) {
    return nullptr;
  }
  try {
    nested->rethrow_nested();
  } catch (...) {
    return describe_exception(depth + 1);
  }
}

inline std::string text_of(const char* what) { return what != nullptr ? what : ""; }

inline std::shared_ptr<ErrorInfo> describe_exception(int depth) {
  auto info = std::make_shared<ErrorInfo>();
  info->status = SABIR_TASK_FAILED;
  info->language = Language::kCpp;
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    info->type = type_name(*type);
  }
  try {
    throw;
  } catch (const Error& error) {
    info->message = error.message();
    info->cause = error.info();
  } catch (const std::exception& error) {
    info->message = text_of(error.what());
    info->cause = describe_nested(error, depth);
  } catch (const std::string& text) {
    info->message = text;
  } catch (const char* text) {
    info->message = text_of(text);
  } catch (...) {
    info->message = "not derived from std::exception";
  }
  return info;
}

// Whether the type, or one that it is derived from, has one of these names. Bases are known where libstdc++ is used;
// elsewhere the type's own name counts.
inline bool has_name(const std::type_info& type, const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), type_name(type)) != names.end()) {
    return true;
  }
#ifdef __GLIBCXX__
  if (const auto* derived = dynamic_cast<const abi::__si_class_type_info*>(&type)) {
    return has_name(*derived->__base_type, names);
  }
  if (const auto* derived = dynamic_cast<const abi::__vmi_class_type_info*>(&type)) {
    return std::any_of(derived->__base_info, derived->__base_info + derived->__base_count,
                       [&](const auto& base) { return base.__is_public_p() && has_name(*base.__base_type, names); });
  }
#endif
  return false;
}

// Ends the call with the error that is being handled. `name`: what ran; `retry`: the types of errors that are retried,
// none for all.
inline void fail_with_exception(Call& call, const std::string& name, const std::vector<std::string>& retry) {
  const std::type_info* thrown = abi::__cxa_current_exception_type();
  std::shared_ptr<ErrorInfo> info = describe_exception(0);
  std::string message = to_utf8(name + ": " + info->type + (info->message.empty() ? "" : ": ") + info->message);
  std::string type = to_utf8(info->type);
  std::string stack = to_utf8("  in " + name + "\n");
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.language = SABIR_LANGUAGE_CPP;
  failure.retryable = retry.empty() || (thrown != nullptr && has_name(*thrown, retry)) ? 1 : 0;
  failure.message = string_of(message);
  failure.type = string_of(type);
  failure.stack = string_of(stack);
  BufferHandle cause;
  sabir_view cause_view{};
  if (info->cause != nullptr) {
    cause = write_error(*info->cause);
    cause_view = error_view(cause);
    failure.cause = &cause_view;
  }
  call.fail(failure);
}

// Ends the call with an error of the SDK: the call was wrong, not what it called.
inline void fail_with_status(Call& call, const std::string& name, const Error& error) {
  std::string message = to_utf8(name + ": " + error.message());
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = error.status();
  failure.language = SABIR_LANGUAGE_CPP;
  failure.message = string_of(message);
  call.fail(failure);
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_FAILURE_HPP_
