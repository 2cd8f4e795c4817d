#include "runtime/abi/handles.h"

#include <array>
#include <cstring>

namespace sabir::abi {
namespace {

constexpr std::array<std::string_view, 22> kNames = {
    "OK",          "INVALID_ARGUMENT", "NOT_FOUND",     "ALREADY_EXISTS",    "TIMEOUT",     "INTERRUPTED",
    "CLOSED",      "FORKED",           "DISCONNECTED",  "INCOMPATIBLE",      "STORE_FULL",  "OUT_OF_MEMORY",
    "TASK_FAILED", "WORKER_CRASHED",   "ACTOR_DIED",    "ACTOR_UNAVAILABLE", "OBJECT_LOST", "CANCELLED",
    "SYSTEM",      "INTERNAL",         "UNSCHEDULABLE", "GROUP_REMOVED"};

static_assert(SABIR_GROUP_REMOVED == static_cast<int>(kLastErrorKind) && SABIR_GROUP_REMOVED + 1 == kNames.size());
static_assert(SABIR_INCOMPATIBLE == static_cast<int>(ErrorKind::kUnsupported));
static_assert(SABIR_STORE_FULL == static_cast<int>(ErrorKind::kStoreFull));
static_assert(SABIR_OUT_OF_MEMORY == static_cast<int>(ErrorKind::kExhausted));
static_assert(SABIR_WORKER_CRASHED == static_cast<int>(ErrorKind::kWorkerCrashed));

}  // namespace

sabir_status fail(sabir_error** out_error, sabir_status status, std::string message) {
  if (out_error != nullptr) {
    *out_error = new sabir_error{status, std::move(message)};
  }
  return status;
}

sabir_status fail(sabir_error** out_error, const Error& error) {
  return fail(out_error, static_cast<sabir_status>(error.kind()), error.message());
}

sabir_status enter(const client::Anchor* anchor, Client** out_client, sabir_error** out_error) {
  if (anchor->forked()) [[unlikely]] {
    return fail(out_error, SABIR_FORKED, "this process is a fork of the one that started the client: start a new one");
  }
  *out_client = anchor->client();
  if (*out_client == nullptr) [[unlikely]] {
    return fail(out_error, SABIR_CLOSED, "the client of this handle was shut down");
  }
  return SABIR_OK;
}

sabir_buffer* make_buffer(std::string bytes) {
  auto* buffer = new sabir_buffer;
  buffer->buffer.bytes = std::move(bytes);
  return buffer;
}

Result<void> check_value(const sabir_value& value) {
  if (value.encoding > SABIR_NATIVE) {
    return invalid_error("a value of an unknown encoding");
  }
  if ((value.part_count != 0 && value.parts == nullptr) || (value.ref_count != 0 && value.refs == nullptr)) {
    return invalid_error("a value without its parts or references");
  }
  for (size_t i = 0; i < value.ref_count; ++i) {
    if (value.refs[i] == nullptr) {
      return invalid_error("a value with a reference that is NULL");
    }
  }
  return {};
}

Result<void> check_args(const sabir_arg* args, size_t count) {
  constexpr size_t kMost = 65535;
  if (count > kMost || (count != 0 && args == nullptr)) {
    return invalid_error("a call takes at most 65535 arguments");
  }
  for (size_t i = 0; i < count; ++i) {
    if (args[i].name.size > kMost) {
      return invalid_error("an argument's name is too long");
    }
    if (args[i].ref == nullptr) {
      SABIR_RETURN_IF_ERROR(check_value(args[i].value));
    }
  }
  return {};
}

}  // namespace sabir::abi

using sabir::abi::kNames;

sabir_status sabir_error_status(const sabir_error* error) { return error == nullptr ? SABIR_OK : error->status; }

sabir_string sabir_error_message(const sabir_error* error) {
  return error == nullptr ? sabir_string{"", 0} : sabir::abi::lend(error->message);
}

void sabir_error_destroy(sabir_error* error) { delete error; }

sabir_string sabir_status_name(sabir_status status) {
  std::string_view name = "UNKNOWN";
  if (status >= 0 && static_cast<size_t>(status) < kNames.size()) {
    name = kNames[static_cast<size_t>(status)];
  }
  return {name.data(), name.size()};
}

sabir_span sabir_buffer_bytes(const sabir_buffer* buffer) {
  return buffer == nullptr ? sabir_span{nullptr, 0}
                           : sabir_span{buffer->buffer.bytes.data(), buffer->buffer.bytes.size()};
}

void sabir_buffer_destroy(sabir_buffer* buffer) { delete buffer; }
