// What this node has named to one peer and keeps for it: objects until the peer has released them, promises until they
// are resolved.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "runtime/client/client.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::gateway {

rpc::ObjectId id_of(client::Future* future);

// Any thread.
class NamedObjects {
 public:
  // What it names belongs to this client, which must live until forget() of it.
  struct Object {
    client::Client* client = nullptr;
    client::Future* future = nullptr;  // a count
  };

  NamedObjects() = default;
  NamedObjects(const NamedObjects&) = delete;
  NamedObjects& operator=(const NamedObjects&) = delete;
  ~NamedObjects() { clear(); }

  // Once for each mention. Retains the future.
  void name(client::Client* client, client::Future* future);
  // With a count of its own; nothing: it was never named, or is released.
  std::optional<Object> find(rpc::ObjectId id);
  void release(rpc::ObjectId id);

  // Held from the first mention in a message until that is posted, and while a promise is kept: so no resolution is
  // posted before the mention that it is for.
  std::mutex& posting() { return posting_; }

  // A pending reference is mentioned: true if the peer has not been promised it yet.
  bool promise(client::Client* client, client::Future* future);
  // It has its value: the promise, with its count; nothing if there was none.
  std::optional<Object> resolve(rpc::ObjectId id);

  // The client goes, or the peer.
  void forget(const client::Client* client);
  void clear();

  bool has_any_of(const client::Client* client);

 private:
  struct Entry {
    Object object;
    uint64_t count = 0;
  };
  std::mutex posting_;
  std::mutex lock_;
  std::map<rpc::ObjectId, Entry> named_;
  std::map<rpc::ObjectId, Object> promised_;
};

}  // namespace sabir::gateway
