#include "runtime/gateway/outgoing.h"

#include "runtime/client/error_value.h"

namespace sabir::gateway {

using client::Future;

namespace {

constexpr int kMaxInlineDepth = 8;
static_assert(kMaxInlineDepth < rpc::kMaxWireDepth);

}  // namespace

rpc::WireValue error_value(const Error& error) {
  std::vector<uint8_t> map = client::make_error_map({.kind = error.kind(), .message = error.message()});
  rpc::WireValue value;
  value.encoding = SABIR_NEUTRAL;
  value.is_error = true;
  value.bytes.assign(map.begin(), map.end());
  return value;
}

Result<rpc::WireValue> Outgoing::write(const sabir_view& view, Future* stored, int depth) {
  rpc::WireValue value;
  value.encoding = view.encoding;
  value.language = view.language;
  value.variant = view.variant;
  value.is_error = view.is_error != 0;
  for (size_t i = 0; i < view.ref_count; ++i) {
    SABIR_ASSIGN_OR_RETURN(rpc::WireRef ref, write_ref(reinterpret_cast<Future*>(view.refs[i]), depth));
    value.refs.push_back(std::move(ref));
  }
  if (stored != nullptr) {
    named_.name(&client_, stored);
    value.stored = rpc::WireValue::Stored{id_of(stored), view.size};
  } else if (view.size != 0) {
    value.bytes.assign(static_cast<const char*>(view.data), view.size);
  }
  return value;
}

Result<rpc::WireValue> Outgoing::write(Future* ready, int depth) {
  sabir_view view = {};
  Result<void> seen = client_.view(ready, view);
  if (!seen.ok()) {
    return error_value(seen.error());  // gone from the store: that is its value from now on
  }
  return write(view, ready->kind == client::FutureKind::kObject ? ready : nullptr, depth);
}

Result<rpc::WireRef> Outgoing::write_ref(Future* ref, int depth) {
  if (ref->kind == client::FutureKind::kActor) {
    return unsupported_error("actor handles do not travel to another node yet");
  }
  rpc::WireRef out;
  out.id = id_of(ref);
  // What lies deeper follows as if it had just become ready.
  if (depth < kMaxInlineDepth && client_.is_ready(ref)) {
    SABIR_ASSIGN_OR_RETURN(rpc::WireValue value, write(ref, depth + 1));
    out.value = std::make_unique<rpc::WireValue>(std::move(value));
  } else if (named_.promise(&client_, ref)) {
    client_.watch(ref, promises_, reinterpret_cast<uint64_t>(ref));
  }
  return out;
}

void Outgoing::resolved(Future* promised) {
  std::unique_lock posting(named_.posting());
  std::optional<NamedObjects::Object> object = named_.resolve(id_of(promised));
  if (!object) {
    return;
  }
  Result<rpc::WireValue> value = write(object->future);
  link_.post(rpc::ResolvedMessage{id_of(promised), value.ok() ? *std::move(value) : error_value(value.error())});
  posting.unlock();
  client::release(object->future);
}

}  // namespace sabir::gateway
