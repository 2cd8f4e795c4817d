// Error values: the maps that calls have instead of a result when they failed, read and written.
#ifndef SABIR_ERROR_VALUE_HPP_
#define SABIR_ERROR_VALUE_HPP_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sabir/codec.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Causes within causes that are written.
inline constexpr int kCauseDepthMax = 16;

// As what was received, so that it can be a cause.
inline sabir_view error_view(const BufferHandle& map) {
  sabir_span bytes = sabir_buffer_bytes(map.get());
  sabir_view view{};
  view.encoding = SABIR_NEUTRAL;
  view.is_error = 1;
  view.data = bytes.data;
  view.size = bytes.size;
  return view;
}

// Replaces what is no UTF-8: the texts of errors are sent whatever they hold.
inline std::string to_utf8(std::string_view text) {
  std::string made;
  for (;;) {
    ptrdiff_t at = invalid_utf8_at(text);
    if (at < 0) {
      return made.append(text);
    }
    made.append(text.substr(0, static_cast<size_t>(at))).append("\xef\xbf\xbd");
    text.remove_prefix(static_cast<size_t>(at) + 1);
  }
}

// What an error value says. Damaged ones say that.
inline std::shared_ptr<const ErrorInfo> read_error(const sabir_view& view) {
  std::vector<sabir_failure> chain;
  sabir_failure failure = SABIR_FAILURE_INIT;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  while ((status = sabir_failure_decode(&view, chain.size(), &failure, &error)) == SABIR_OK) {
    chain.push_back(failure);
  }
  std::string end = take_message(error);
  if (status != SABIR_NOT_FOUND) {
    auto info = std::make_shared<ErrorInfo>();
    info->status = SABIR_INTERNAL;
    info->message = "an error that cannot be read: " + end;
    return info;
  }
  std::shared_ptr<const ErrorInfo> cause;
  for (auto said = chain.rbegin(); said != chain.rend(); ++said) {
    auto info = std::make_shared<ErrorInfo>();
    info->status = said->kind;
    info->language = static_cast<Language>(said->language);
    info->message = to_utf8(view_of(said->message));
    info->type = to_utf8(view_of(said->type));
    info->stack = to_utf8(view_of(said->stack));
    info->native = view_of({static_cast<const char*>(said->native.data), said->native.size});
    info->cause = std::move(cause);
    cause = std::move(info);
  }
  return cause;
}

// The error value of an error and of its causes.
inline BufferHandle write_error(const ErrorInfo& info, int depth = 0) {
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = info.status;
  failure.language = static_cast<sabir_language>(info.language);
  failure.message = string_of(info.message);
  failure.type = string_of(info.type);
  failure.stack = string_of(info.stack);
  failure.native = {info.native.data(), info.native.size()};
  BufferHandle cause;
  sabir_view cause_view{};
  if (info.cause != nullptr && depth < kCauseDepthMax) {
    cause = write_error(*info.cause, depth + 1);
    cause_view = error_view(cause);
    failure.cause = &cause_view;
  }
  sabir_buffer* map = nullptr;
  sabir_failure_encode(&failure, &map, nullptr);
  return BufferHandle(map);
}

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_ERROR_VALUE_HPP_
