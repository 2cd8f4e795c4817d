#include "runtime/gateway/named_objects.h"

#include <cstring>

namespace sabir::gateway {

rpc::ObjectId id_of(client::Future* future) {
  uint64_t own = future->anchor->uid();
  return {future->extra != nullptr && future->extra->uid != 0 ? future->extra->uid : own, future->sequence};
}

rpc::ObjectId object_id_of(const std::string& actor_id) {
  rpc::ObjectId id;
  if (actor_id.size() == sizeof(id.uid) + sizeof(id.sequence)) {
    std::memcpy(&id.uid, actor_id.data(), sizeof(id.uid));
    std::memcpy(&id.sequence, actor_id.data() + sizeof(id.uid), sizeof(id.sequence));
  }
  return id;
}

std::string actor_id_of(rpc::ObjectId id) {
  std::string bytes(reinterpret_cast<const char*>(&id.uid), sizeof(id.uid));
  return bytes.append(reinterpret_cast<const char*>(&id.sequence), sizeof(id.sequence));
}

NamedObjects::~NamedObjects() {
  for (auto& [id, entry] : named_) {
    for (auto& [client, object] : entry.holders) {
      client::release(object.future);
    }
  }
  for (auto& [id, holders] : promised_) {
    for (auto& [client, object] : holders) {
      client::release(object.future);
    }
  }
}

void NamedObjects::hold(Holders& holders, client::Client* client, client::Future* future) {
  holders.emplace(client, Object{client, client::retain(future)});
  ++held_[client];
}

void NamedObjects::let_go(const Object& object) {
  auto held = held_.find(object.client);
  if (--held->second == 0) {
    held_.erase(held);
  }
  client::release(object.future);
}

void NamedObjects::name(client::Client* client, client::Future* future, rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  Entry& entry = named_[id];
  ++entry.count;
  if (!entry.holders.contains(client)) {
    hold(entry.holders, client, future);
  }
}

std::optional<NamedObjects::Object> NamedObjects::find(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = named_.find(id);
  if (found == named_.end() || found->second.holders.empty()) {
    return std::nullopt;
  }
  const Object& object = found->second.holders.begin()->second;
  client::retain(object.future);
  return object;
}

void NamedObjects::release(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = named_.find(id);
  if (found != named_.end() && --found->second.count == 0) {
    for (auto& [client, object] : found->second.holders) {
      let_go(object);
    }
    named_.erase(found);
  }
}

bool NamedObjects::promise(client::Client* client, client::Future* future) {
  std::lock_guard guard(lock_);
  Holders& holders = promised_[id_of(future)];
  if (holders.contains(client)) {
    return false;
  }
  hold(holders, client, future);
  return true;
}

std::optional<NamedObjects::Object> NamedObjects::resolve(client::Client* client, rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = promised_.find(id);
  if (found == promised_.end()) {
    return std::nullopt;
  }
  auto holder = found->second.find(client);
  if (holder == found->second.end()) {
    return std::nullopt;
  }
  Object object = holder->second;
  client::retain(object.future);
  let_go(object);
  found->second.erase(holder);
  if (found->second.empty()) {
    promised_.erase(found);
  }
  return object;
}

std::vector<rpc::ObjectId> NamedObjects::forget(const client::Client* client) {
  std::vector<rpc::ObjectId> broken;
  std::lock_guard guard(lock_);
  auto leave = [&](Holders& holders) {
    auto holder = holders.find(client);
    if (holder == holders.end()) {
      return false;
    }
    let_go(holder->second);
    holders.erase(holder);
    return holders.empty();
  };
  for (auto& [id, entry] : named_) {
    leave(entry.holders);
  }
  for (auto entry = promised_.begin(); entry != promised_.end();) {
    if (leave(entry->second)) {
      broken.push_back(entry->first);
      entry = promised_.erase(entry);
    } else {
      ++entry;
    }
  }
  return broken;
}

bool NamedObjects::has_any_of(const client::Client* client) {
  std::lock_guard guard(lock_);
  return held_.contains(client);
}

}  // namespace sabir::gateway
