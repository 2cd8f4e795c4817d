// What this node has named to one peer and keeps for it: objects until the peer has released them, promises until they
// are resolved.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/client/client.h"
#include "runtime/rpc/node_messages.h"

namespace sabir::gateway {

rpc::ObjectId id_of(client::Future* future);
// An actor's 16 bytes, and back.
rpc::ObjectId object_id_of(const std::string& actor_id);
std::string actor_id_of(rpc::ObjectId id);

// Any thread. Ids are the same in all clients, and the peer knows nothing of clients: mentions are counted by id,
// whoever made them, and any client that has the object can serve it.
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
  ~NamedObjects();

  // Once for each mention. Retains the future.
  void name(client::Client* client, client::Future* future) { name(client, future, id_of(future)); }
  void name(client::Client* client, client::Future* future, rpc::ObjectId id);
  // With a count of its own; nothing: it was never named, is released, or all who had it are gone.
  std::optional<Object> find(rpc::ObjectId id);
  // One mention.
  void release(rpc::ObjectId id);

  // Held from the first mention in a message until that is posted, and while a promise is kept or broken: so no
  // resolution is posted before the mention that it is for.
  std::mutex& posting() { return posting_; }

  // A pending reference is mentioned: true if this client has not promised it to the peer yet.
  bool promise(client::Client* client, client::Future* future);
  // It has its value at this client: the promise, with its count; nothing if there was none.
  std::optional<Object> resolve(client::Client* client, rpc::ObjectId id);

  // The client goes. What it alone had promised: nobody keeps that any more.
  std::vector<rpc::ObjectId> forget(const client::Client* client);
  // Whether the peer counts on something that this client has.
  bool has_any_of(const client::Client* client);

 private:
  using Holders = std::map<const client::Client*, Object>;
  struct Entry {
    // Without any the entry stays until its mentions are released: else they were counted as those of a later one.
    Holders holders;
    uint64_t count = 0;
  };
  void hold(Holders& holders, client::Client* client, client::Future* future);
  void let_go(const Object& object);

  std::mutex posting_;
  std::mutex lock_;
  std::map<rpc::ObjectId, Entry> named_;
  std::map<rpc::ObjectId, Holders> promised_;
  std::map<const client::Client*, size_t> held_;  // by each client
};

}  // namespace sabir::gateway
