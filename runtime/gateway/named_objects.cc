#include "runtime/gateway/named_objects.h"

#include <algorithm>

namespace sabir::gateway {

rpc::ObjectId id_of(client::Future* future) {
  uint64_t own = future->anchor->uid();
  return {future->extra != nullptr && future->extra->uid != 0 ? future->extra->uid : own, future->sequence};
}

void NamedObjects::name(client::Client* client, client::Future* future) {
  std::lock_guard guard(lock_);
  Entry& entry = named_[id_of(future)];
  if (entry.count++ == 0) {
    entry.object = {client, client::retain(future)};
  }
}

std::optional<NamedObjects::Object> NamedObjects::find(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = named_.find(id);
  if (found == named_.end()) {
    return std::nullopt;
  }
  client::retain(found->second.object.future);
  return found->second.object;
}

void NamedObjects::release(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = named_.find(id);
  if (found != named_.end() && --found->second.count == 0) {
    client::release(found->second.object.future);
    named_.erase(found);
  }
}

bool NamedObjects::promise(client::Client* client, client::Future* future) {
  std::lock_guard guard(lock_);
  auto [place, added] = promised_.try_emplace(id_of(future), Object{client, future});
  if (added) {
    client::retain(future);
  }
  return added;
}

std::optional<NamedObjects::Object> NamedObjects::resolve(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = promised_.find(id);
  if (found == promised_.end()) {
    return std::nullopt;
  }
  Object object = found->second;
  promised_.erase(found);
  return object;
}

void NamedObjects::forget(const client::Client* client) {
  std::lock_guard guard(lock_);
  auto of_client = [&](const Object& object) {
    bool is = client == nullptr || object.client == client;
    if (is) {
      client::release(object.future);
    }
    return is;
  };
  std::erase_if(named_, [&](const auto& entry) { return of_client(entry.second.object); });
  std::erase_if(promised_, [&](const auto& entry) { return of_client(entry.second); });
}

void NamedObjects::clear() { forget(nullptr); }

bool NamedObjects::has_any_of(const client::Client* client) {
  std::lock_guard guard(lock_);
  auto of_client = [&](const Object& object) { return object.client == client; };
  return std::any_of(named_.begin(), named_.end(), [&](const auto& entry) { return of_client(entry.second.object); }) ||
         std::any_of(promised_.begin(), promised_.end(), [&](const auto& entry) { return of_client(entry.second); });
}

}  // namespace sabir::gateway
