// Owners of the C interface's handles.
#ifndef SABIR_HANDLES_HPP_
#define SABIR_HANDLES_HPP_

#include <memory>
#include <utility>

#include "sabir/config.hpp"

SABIR_NAMESPACE_BEGIN
namespace detail {

// A counted handle: copies retain.
template <typename T, T* (*Retain)(T*), void (*Release)(T*)>
class Shared {
 public:
  Shared() = default;
  // Takes over.
  explicit Shared(T* handle) : handle_(handle) {}
  static Shared retain(T* handle) { return Shared(handle == nullptr ? nullptr : Retain(handle)); }

  Shared(const Shared& other) : handle_(other.handle_ == nullptr ? nullptr : Retain(other.handle_)) {}
  Shared(Shared&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Shared() {
    if (handle_ != nullptr) {
      Release(handle_);
    }
  }

  T* get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  T* handle_ = nullptr;
};

using RefHandle = Shared<sabir_ref, sabir_ref_retain, sabir_ref_release>;
using ActorHandleOwner = Shared<sabir_actor, sabir_actor_retain, sabir_actor_release>;
struct BufferEnd {
  void operator()(sabir_buffer* buffer) const { sabir_buffer_destroy(buffer); }
};
using BufferHandle = std::unique_ptr<sabir_buffer, BufferEnd>;

using TableHandle = std::shared_ptr<sabir_table>;
// Takes over.
inline TableHandle own_table(sabir_table* table) { return TableHandle(table, sabir_table_destroy); }

}  // namespace detail
SABIR_NAMESPACE_END

#endif  // SABIR_HANDLES_HPP_
