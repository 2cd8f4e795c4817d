#include "runtime/gateway/mentions.h"

#include <utility>

namespace sabir::gateway {

Mentions::~Mentions() {
  if (!ids_.empty()) {
    link_.post(rpc::ReleasedMessage{std::move(ids_)});
  }
}

void Mentions::add(const rpc::WireValue& value) {
  if (value.stored && !value.stored->is_yours) {
    ids_.push_back(value.stored->id);
  }
  for (const rpc::WireRef& ref : value.refs) {
    if (ref.value) {
      add(*ref.value);
    } else if (ref.actor) {
      ids_.push_back(ref.id);
    }
  }
}

MentionsPtr mentions_in(PeerLink& link, const std::vector<rpc::WireValue>& values) {
  auto mentions = std::make_shared<Mentions>(link);
  for (const rpc::WireValue& value : values) {
    mentions->add(value);
  }
  return mentions;
}

MentionsPtr mentions_in(PeerLink& link, const rpc::WireValue& value) {
  auto mentions = std::make_shared<Mentions>(link);
  mentions->add(value);
  return mentions;
}

MentionsPtr mentions_in(PeerLink& link, const std::vector<rpc::WireArg>& args) {
  auto mentions = std::make_shared<Mentions>(link);
  for (const rpc::WireArg& arg : args) {
    mentions->add(arg.value);
  }
  return mentions;
}

}  // namespace sabir::gateway
