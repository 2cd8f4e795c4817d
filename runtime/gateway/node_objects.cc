#include "runtime/gateway/node_objects.h"

#include <span>
#include <utility>

namespace sabir::gateway {

// What was not named to this peer may have been named by another node, which has referred it here.
void NodeObjects::pull(PeerLink& from, NamedObjects& named, const rpc::PullMessage& message) {
  std::optional<NamedObjects::Object> object = named.find(message.id);
  if (!object) {
    copies_.serve(from.share(), message);
    return;
  }
  sabir_view view = {};
  Result<void> seen = object->client->view(object->future, view);
  if (seen.ok() && (message.offset > view.size || message.size_bytes > view.size - message.offset)) {
    seen = invalid_error("there are not so many bytes in the object");
  }
  if (!seen.ok()) {
    client::release(object->future);
    from.refuse(message.transfer, seen.error());
    return;
  }
  std::span<const uint8_t> bytes(static_cast<const uint8_t*>(view.data), view.size);
  sends_.send(object->client, from.share(), message.transfer, bytes.subspan(message.offset, message.size_bytes),
              [future = object->future] { client::release(future); });
}

void NodeObjects::locate(PeerLink& from, NamedObjects& named, const rpc::LocateMessage& message) {
  rpc::LocatedMessage answer{message.id, false, {}};
  if (std::optional<NamedObjects::Object> object = named.find(message.id)) {
    client::release(object->future);
    std::lock_guard guard(lock_);
    Spread::Located located = spread_.locate(message.id, from.peer());
    answer.self = located.self;
    answer.others = std::move(located.others);
  }
  from.post(std::move(answer));
}

void NodeObjects::copy_state(PeerLink& from, const rpc::CopyStateMessage& message) {
  std::lock_guard guard(lock_);
  switch (message.state) {
    case rpc::CopyState::kHas:
      spread_.has(message.id, from.peer());
      break;
    case rpc::CopyState::kGone:
      spread_.gone(message.id, from.peer());
      break;
    case rpc::CopyState::kFailed:
      spread_.failed(message.id, from.peer(), message.source);
      break;
  }
}

void NodeObjects::lost(PeerLink& link) {
  {
    std::lock_guard guard(lock_);
    spread_.lost(link.peer());
  }
  copies_.lost(&link);
}

}  // namespace sabir::gateway
