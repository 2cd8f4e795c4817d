// ObjectRef<T>: a reference to a value that is there or will be; get, put and wait.
#ifndef SABIR_OBJECT_REF_HPP_
#define SABIR_OBJECT_REF_HPP_

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sabir/error_value.hpp"
#include "sabir/result.hpp"
#include "sabir/state.hpp"
#include "sabir/tensor.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// Calls `wait(timeout_ns, error)` until it is not interrupted by a signal of this thread.
template <typename Wait>
sabir_status until_uninterrupted(Duration timeout, sabir_error** error, Wait wait) {
  using Clock = std::chrono::steady_clock;
  if (timeout > std::chrono::hours(24 * 365 * 100)) {
    timeout = kForever;  // now + timeout would overflow
  }
  int64_t left_ns = timeout_ns(timeout);
  auto deadline = timeout == kForever ? Clock::time_point::max() : Clock::now() + timeout;
  for (;; left_ns = timeout == kForever ? -1 : std::max<int64_t>(0, Duration(deadline - Clock::now()).count())) {
    sabir_status status = wait(left_ns, error);
    if (status != SABIR_INTERRUPTED) {
      return status;
    }
    sabir_error_destroy(*error);
    *error = nullptr;
  }
}

// False: not all have a value in time, and none of them has an error.
inline bool wait_for_values(sabir_ref* const* refs, size_t count, Duration timeout) {
  sabir_client* client = require_client();
  sabir_error* error = nullptr;
  sabir_status status = until_uninterrupted(timeout, &error, [&](int64_t left_ns, sabir_error** out) {
    return sabir_get(client, refs, count, left_ns, nullptr, out);
  });
  if (status == SABIR_TIMEOUT) {
    sabir_error_destroy(error);
    return false;
  }
  if (status != SABIR_OK) {
    throw_c_error(status, error);
  }
  return true;
}

inline sabir_view view_of_ref(sabir_ref* ref) {
  sabir_view view{};
  check([&](sabir_error** error) { return sabir_ref_view(ref, &view, error); });
  return view;
}

// Throws the first error that is there, if any.
inline void throw_first_error(sabir_ref* const* refs, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    sabir_view view{};
    if (sabir_ref_ready(refs[i]) != 0 && sabir_ref_view(refs[i], &view, nullptr) == SABIR_OK && view.is_error != 0) {
      throw_error(read_error(view));
    }
  }
}

inline void require_values(sabir_ref* const* refs, size_t count, Duration timeout) {
  for (size_t i = 0; i < count; ++i) {
    if (refs[i] == nullptr) {
      throw_status(SABIR_INVALID_ARGUMENT, "an empty reference has no value");
    }
  }
  bool in_time = wait_for_values(refs, count, timeout);
  throw_first_error(refs, count);
  if (!in_time) {
    throw_status(SABIR_TIMEOUT, "no value within " + std::to_string(timeout.count() / 1000000) + " ms");
  }
}

template <typename T>
T value_of(sabir_ref* ref) {
  static_assert(!std::is_same_v<T, std::string_view>, "sabir: get a std::string: a string_view would point nowhere");
  if constexpr (!std::is_void_v<T>) {
    return decode<T>(view_of_ref(ref), ref);
  }
}

}  // namespace detail

template <typename T>
class ObjectRef {
 public:
  using Type = T;

  ObjectRef() = default;
  explicit ObjectRef(detail::RefHandle handle) : handle_(std::move(handle)) {}

  // Waits for the value. Throws what the call threw (TaskError and others), and TimeoutError.
  T get(Duration timeout = kForever) const {
    sabir_ref* ref = handle_.get();
    detail::require_values(&ref, 1, timeout);
    return detail::value_of<T>(ref);
  }
  Result<T> try_get(Duration timeout = kForever) const {
    return attempt([&]() -> T { return get(timeout); });
  }
  // It has a value or an error. Never waits.
  bool ready() const { return handle_ && sabir_ref_ready(handle_.get()) != 0; }
  // 32 hex digits, equal in every process.
  std::string id() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    uint8_t bytes[16] = {};
    if (handle_) {
      sabir_ref_id(handle_.get(), bytes);
    }
    std::string text;
    for (uint8_t byte : bytes) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }
  // The same reference with another idea of what comes.
  template <typename U>
  ObjectRef<U> as() const {
    return ObjectRef<U>(handle_);
  }
  explicit operator bool() const { return static_cast<bool>(handle_); }
  bool operator==(const ObjectRef& other) const { return id() == other.id(); }
  bool operator!=(const ObjectRef& other) const { return id() != other.id(); }

  const detail::RefHandle& handle() const { return handle_; }

 private:
  detail::RefHandle handle_;
};

namespace detail {

template <typename T>
struct Codec<ObjectRef<T>> {
  static void write(Encoder& encoder, const ObjectRef<T>& value) { encoder.reference(value.handle()); }
  static ObjectRef<T> read(Decoder& decoder) { return ObjectRef<T>(decoder.reference()); }
};

template <typename T>
struct IsObjectRef : std::false_type {};
template <typename T>
struct IsObjectRef<ObjectRef<T>> : std::true_type {};

// What a value of type T travels as: string literals as text.
template <typename T>
using Stored =
    std::conditional_t<std::is_same_v<std::decay_t<T>, const char*> || std::is_same_v<std::decay_t<T>, char*>,
                       std::string_view, std::decay_t<T>>;
template <typename T>
using Kept = std::conditional_t<std::is_same_v<Stored<T>, std::string_view>, std::string, Stored<T>>;

template <typename T>
std::vector<sabir_ref*> handles_of(const std::vector<ObjectRef<T>>& refs) {
  std::vector<sabir_ref*> handles;
  handles.reserve(refs.size());
  for (const ObjectRef<T>& ref : refs) {
    handles.push_back(ref.handle().get());
  }
  return handles;
}

}  // namespace detail

// Waits for all values. The first error in time ends it.
template <typename T>
std::vector<T> get(const std::vector<ObjectRef<T>>& refs, Duration timeout = kForever) {
  std::vector<sabir_ref*> handles = detail::handles_of(refs);
  detail::require_values(handles.data(), handles.size(), timeout);
  std::vector<T> values;
  values.reserve(refs.size());
  for (sabir_ref* handle : handles) {
    values.push_back(detail::value_of<T>(handle));
  }
  return values;
}
inline void get(const std::vector<ObjectRef<void>>& refs, Duration timeout = kForever) {
  std::vector<sabir_ref*> handles = detail::handles_of(refs);
  detail::require_values(handles.data(), handles.size(), timeout);
}
template <typename T>
T get(const ObjectRef<T>& ref, Duration timeout = kForever) {
  return ref.get(timeout);
}
template <typename... T>
std::tuple<T...> get(const std::tuple<ObjectRef<T>...>& refs, Duration timeout = kForever) {
  return std::apply(
      [&](const auto&... ref) {
        const std::array<sabir_ref*, sizeof...(T)> handles{ref.handle().get()...};
        detail::require_values(handles.data(), handles.size(), timeout);
        return std::tuple<T...>{detail::value_of<T>(ref.handle().get())...};
      },
      refs);
}
template <typename Refs>
auto try_get(const Refs& refs, Duration timeout = kForever) {
  return attempt([&] { return get(refs, timeout); });
}

// Stores a value. Waits up to `timeout` for room, then throws StoreFullError.
template <typename T>
ObjectRef<detail::Kept<T>> put(const T& value, Duration timeout = std::chrono::seconds(30)) {
  static_assert(!detail::IsObjectRef<T>::value, "sabir: this is a reference already: there is nothing to put");
  detail::Encoder encoder;
  const detail::Stored<T>& stored = value;
  detail::write_value(encoder, stored);
  sabir_value raw = encoder.finish();
  sabir_ref* ref = nullptr;
  detail::check([&](sabir_error** error) {
    return sabir_put(detail::require_client(), &raw, detail::timeout_ns(timeout), &ref, error);
  });
  return ObjectRef<detail::Kept<T>>(detail::RefHandle(ref));
}
template <typename T>
auto try_put(const T& value, Duration timeout = std::chrono::seconds(30)) {
  return attempt([&] { return put(value, timeout); });
}

template <typename T>
struct WaitResult {
  std::vector<ObjectRef<T>> ready;      // num_ready of them, or fewer after the time is over
  std::vector<ObjectRef<T>> not_ready;  // the others, in their order
};

// Waits until num_ready of the references, which differ, have a value or an error.
template <typename T>
WaitResult<T> wait(const std::vector<ObjectRef<T>>& refs, size_t num_ready = 1, Duration timeout = kForever) {
  std::vector<sabir_ref*> handles = detail::handles_of(refs);
  std::vector<uint8_t> ready(refs.size());
  size_t count = 0;
  sabir_client* client = detail::require_client();
  detail::check([&](sabir_error** error) {
    return detail::until_uninterrupted(timeout, error, [&](int64_t left_ns, sabir_error** out) {
      return sabir_wait(client, handles.data(), handles.size(), num_ready, left_ns, nullptr, ready.data(), &count, out);
    });
  });
  WaitResult<T> result;
  for (size_t i = 0; i < refs.size(); ++i) {
    (ready[i] != 0 ? result.ready : result.not_ready).push_back(refs[i]);
  }
  return result;
}

SABIR_NAMESPACE_END

#endif  // SABIR_OBJECT_REF_HPP_
