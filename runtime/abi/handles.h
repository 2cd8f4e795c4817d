// What the opaque handles of sabir.h are, and how errors cross the border. Every function of the ABI begins with
// enter(): the fork guard comes before anything else that could meet a lock (P7).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/abi/sabir.h"
#include "runtime/client/client.h"

struct sabir_error {
  sabir_status status;
  std::string message;
};

struct sabir_queue {
  enum class Kind : uint8_t { kCompletions, kWork, kNotices };
  Kind kind = Kind::kCompletions;
  sabir::client::Anchor* anchor = nullptr;
  std::shared_ptr<sabir::client::EventQueue> events;  // none for kWork
};

struct sabir_client {
  std::unique_ptr<sabir::client::Client> client;
  sabir_queue work_queue;
  sabir_queue notice_queue;
  // What sabir_client_get_info lends out.
  std::string session_path, job_id, node_id, process_id, name_space, job_config, actor_id;
};

struct sabir_waiter {
  sabir::client::Waiter waiter;
};

struct sabir_buffer {
  sabir::client::Buffer buffer;
};

namespace sabir::abi {

using client::Client;
using client::Future;

// Sets *out_error if it is wanted; returns the status.
sabir_status fail(sabir_error** out_error, sabir_status status, std::string message);
sabir_status fail(sabir_error** out_error, const Error& error);

// `result` as a status; its value goes to *out.
template <typename T, typename Out>
sabir_status give(Result<T>&& result, Out* out, sabir_error** out_error) {
  if (!result.ok()) [[unlikely]] {
    return fail(out_error, result.error());
  }
  *out = static_cast<Out>(*std::move(result));
  return SABIR_OK;
}
inline sabir_status finish(Result<void>&& result, sabir_error** out_error) {
  return result.ok() ? SABIR_OK : fail(out_error, result.error());
}

// The client behind a handle, if it can be used now.
sabir_status enter(const client::Anchor* anchor, Client** out_client, sabir_error** out_error);
inline sabir_status enter(const sabir_client* handle, Client** out_client, sabir_error** out_error) {
  *out_client = handle->client.get();
  if (handle->client->forked()) [[unlikely]] {
    return fail(out_error, SABIR_FORKED, "this process is a fork of the one that started the client: start a new one");
  }
  return SABIR_OK;
}

inline Future* future_of(sabir_ref* ref) { return reinterpret_cast<Future*>(ref); }
inline const Future* future_of(const sabir_ref* ref) { return reinterpret_cast<const Future*>(ref); }
inline Future* future_of(sabir_actor* actor) { return reinterpret_cast<Future*>(actor); }
inline sabir_ref* ref_of(Future* future) { return reinterpret_cast<sabir_ref*>(future); }
inline sabir_actor* actor_of(Future* future) { return reinterpret_cast<sabir_actor*>(future); }
inline client::Waiter* waiter_of(sabir_waiter* waiter) { return waiter == nullptr ? nullptr : &waiter->waiter; }

inline sabir_string lend(const std::string& text) { return {text.data(), text.size()}; }
inline std::string_view view(sabir_string text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

// (6): a struct of a caller that was compiled against an older header is shorter; what it lacks has its default.
template <typename T>
std::optional<T> read_struct(const T* given, const T& defaults) {
  T copy = defaults;
  if (given == nullptr) {
    return copy;
  }
  if (given->struct_size < sizeof(size_t)) {
    return std::nullopt;
  }
  size_t size = given->struct_size < sizeof(T) ? given->struct_size : sizeof(T);
  std::memcpy(&copy, given, size);
  copy.struct_size = sizeof(T);
  return copy;
}
// ... and gets only as much as it has room for.
template <typename T>
bool write_struct(T* out, T filled) {
  if (out->struct_size < sizeof(size_t)) {
    return false;
  }
  filled.struct_size = out->struct_size;
  std::memcpy(out, &filled, out->struct_size < sizeof(T) ? out->struct_size : sizeof(T));
  return true;
}

sabir_buffer* make_buffer(std::string bytes);

// The value can be sent: its parts and references are there, and its references belong to this client.
Result<void> check_value(const sabir_value& value);
Result<void> check_args(const sabir_arg* args, size_t count);

}  // namespace sabir::abi
