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

Error too_large_error(const std::string& what) {
  return unsupported_error(what + " of more than " + std::to_string(rpc::kMaxNodeMessageBytes >> 20) +
                           " MiB, what lies in the store not counted, does not travel to another node");
}

Result<rpc::WireValue> Outgoing::write(const sabir_view& view, Future* stored, int depth) {
  rpc::WireValue value;
  value.encoding = view.encoding;
  value.language = view.language;
  value.variant = view.variant;
  value.is_error = view.is_error != 0;
  for (size_t i = 0; i < view.ref_count; ++i) {
    Result<rpc::WireRef> ref = write_ref(reinterpret_cast<Future*>(view.refs[i]), depth);
    if (!ref.ok()) {
      take_back(value);
      return std::move(ref).error();
    }
    value.refs.push_back(*std::move(ref));
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
    return write_handle(ref);
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

Result<rpc::WireRef> Outgoing::write_handle(Future* ref) {
  SABIR_ASSIGN_OR_RETURN(std::shared_ptr<const rpc::ActorInfo> info, client_.describe_actor(ref));
  rpc::WireRef out;
  out.id = object_id_of(info->actor_id);
  out.actor = std::make_unique<rpc::WireActor>();
  out.actor->home = info->home_node.empty() ? link_.self() : rpc::NodeKeyBytes{info->home_node, info->home_incarnation};
  out.actor->name = info->name;
  out.actor->class_name = info->class_name;
  out.actor->class_info = info->class_info;
  out.actor->language = info->language;
  out.actor->max_task_retries = info->max_task_retries;
  named_.name(&client_, ref, out.id);
  return out;
}

void Outgoing::resolved(Future* promised) {
  std::unique_lock posting(named_.posting());
  std::optional<NamedObjects::Object> object = named_.resolve(&client_, id_of(promised));
  if (!object) {
    return;
  }
  rpc::ResolvedMessage message{id_of(object->future), {}};
  Result<rpc::WireValue> value = write(object->future);
  message.value = value.ok() ? *std::move(value) : error_value(value.error());
  if (rpc::wire_bytes(message) > rpc::kMaxNodeMessageBytes) {
    take_back(message.value);
    message.value = error_value(too_large_error("a value with references"));
  }
  link_.post(std::move(message));
  posting.unlock();
  client::release(object->future);
}

void Outgoing::take_back(const rpc::WireValue& value) {
  if (value.stored && !value.stored->is_yours) {
    named_.release(value.stored->id);
  }
  for (const rpc::WireRef& ref : value.refs) {
    if (ref.value) {
      take_back(*ref.value);
    } else if (ref.actor) {
      named_.release(ref.id);
    }
  }
}

void Outgoing::leave() {
  std::lock_guard posting(named_.posting());
  for (rpc::ObjectId id : named_.forget(&client_)) {
    link_.post(rpc::ResolvedMessage{
        id,
        error_value(Error(ErrorKind::kObjectLost, "the node that had promised it does not follow its call any more"))});
  }
}

}  // namespace sabir::gateway
