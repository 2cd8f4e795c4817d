// Waiting without a thread: a function to call when a value is there, and in C++20 `co_await ref`.
#ifndef SABIR_AWAIT_HPP_
#define SABIR_AWAIT_HPP_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "sabir/object_ref.hpp"

#if defined(__cpp_impl_coroutine) && __has_include(<coroutine>)
#include <coroutine>
#endif

SABIR_NAMESPACE_BEGIN
namespace detail {

// A queue of completions and the thread that empties it; of one client.
class Completions {
 public:
  explicit Completions(sabir_client* client) {
    check([&](sabir_error** error) { return sabir_queue_create(client, &queue_, error); });
  }
  Completions(const Completions&) = delete;
  Completions& operator=(const Completions&) = delete;
  ~Completions() { sabir_queue_destroy(queue_); }

  void add(sabir_ref* ref, std::function<void()> then) {
    uint64_t tag = 0;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!closed_) {
        tag = ++last_tag_;
        waiting_.emplace(tag, std::move(then));
      }
    }
    if (tag == 0) {
      then();  // the client was shut down: get() says so
      return;
    }
    sabir_error* error = nullptr;
    if (sabir_status status = sabir_ref_watch(ref, queue_, tag, &error); status != SABIR_OK) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.erase(tag) != 0) {
        throw_c_error(status, error);
      }
      sabir_error_destroy(error);
    }
  }

  // Until the client is shut down; then everything that waits goes on, and finds it closed.
  void run() {
    for (;;) {
      sabir_event events[64];
      size_t count = 0;
      sabir_status status = sabir_queue_next(queue_, events, 64, -1, nullptr, &count, nullptr);
      if (status == SABIR_INTERRUPTED || status == SABIR_TIMEOUT) {
        continue;
      }
      if (status != SABIR_OK) {
        break;
      }
      for (size_t i = 0; i < count; ++i) {
        if (auto then = take(events[i].tag)) {
          then();
        }
      }
    }
    std::map<uint64_t, std::function<void()>> rest;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      closed_ = true;
      rest.swap(waiting_);
    }
    for (auto& waiting : rest) {
      waiting.second();
    }
  }

 private:
  std::function<void()> take(uint64_t tag) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = waiting_.find(tag);
    if (found == waiting_.end()) {
      return {};
    }
    std::function<void()> then = std::move(found->second);
    waiting_.erase(found);
    return then;
  }

  sabir_queue* queue_ = nullptr;
  std::mutex mutex_;
  uint64_t last_tag_ = 0;
  bool closed_ = false;
  std::map<uint64_t, std::function<void()>> waiting_;
};

// Those of the present client; the thread starts with the first use and ends with the client.
SABIR_LOCAL inline std::shared_ptr<Completions> completions() {
  static std::mutex mutex;
  static auto* current = new std::shared_ptr<Completions>;
  static uint64_t epoch = 0;
  std::lock_guard<std::mutex> lock(mutex);
  sabir_client* client = require_client();
  uint64_t now = state().epoch.load(std::memory_order_acquire);
  if (*current == nullptr || epoch != now) {
    *current = std::make_shared<Completions>(client);
    epoch = now;
    std::thread([self = *current] { self->run(); }).detach();
  }
  return *current;
}

}  // namespace detail

// Calls `then`, which must not throw or block, once the reference has a value or an error, or the client is shut down:
// in a thread of the SDK, or at once.
template <typename T>
void on_ready(const ObjectRef<T>& ref, std::function<void()> then) {
  if (ref.ready()) {
    then();
    return;
  }
  // The reference stays until then; and here, because `then` may run, and end what owns `ref`, before add() returns.
  const detail::RefHandle handle = ref.handle();
  detail::completions()->add(handle.get(), [handle, then = std::move(then)] { then(); });
}

#if defined(__cpp_impl_coroutine) && __has_include(<coroutine>)
namespace detail {
template <typename T>
struct RefAwaiter {
  ObjectRef<T> ref;
  bool await_ready() const { return ref.ready(); }
  void await_suspend(std::coroutine_handle<> waiting) const {
    on_ready(ref, [waiting] { waiting.resume(); });
  }
  T await_resume() const { return ref.get(); }
};
}  // namespace detail

// `T value = co_await ref;` The coroutine goes on in a thread of the SDK.
template <typename T>
detail::RefAwaiter<T> operator co_await(const ObjectRef<T>& ref) {
  return {ref};
}
#endif

SABIR_NAMESPACE_END

#endif  // SABIR_AWAIT_HPP_
