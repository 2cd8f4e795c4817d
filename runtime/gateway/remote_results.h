// Large results of calls that ran on a peer. They stay there until somebody on this node wants them (O10): what the
// submitter gets is the place, and what is passed on to the peer again costs nothing.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "runtime/client/relay.h"
#include "runtime/gateway/incoming.h"
#include "runtime/gateway/mentions.h"

namespace sabir::gateway {

// Objects that a peer keeps for this node, by all clients. Any thread.
class KeptThere {
 public:
  void add(rpc::ObjectId id, const MentionsPtr& mentions);
  void remove(rpc::ObjectId id, const MentionsPtr& mentions);
  // It stays there as long as what is returned does. Null: it may be gone.
  MentionsPtr find(rpc::ObjectId id);

 private:
  std::mutex lock_;
  std::multimap<rpc::ObjectId, MentionsPtr> kept_;
};

// Of one client. Any thread, except where it says otherwise.
class RemoteResults {
 public:
  // Smaller ones come at once: asking for them later would take longer than the bytes do.
  static constexpr uint64_t kFromBytes = 1 << 20;
  // A full store, or a peer that is slow: each try waits for a minute.
  static constexpr int kMaxTries = 5;

  // All must outlive it, `incoming` also what it has begun there: stop that first.
  RemoteResults(client::Client& client, Incoming& incoming, KeptThere& there);
  ~RemoteResults();
  RemoteResults(const RemoteResults&) = delete;
  RemoteResults& operator=(const RemoteResults&) = delete;

  // It stays where it is.
  static bool stays(const rpc::WireValue& value);
  // A reference that stands for it, with a count. `mentions` go when nobody on this node holds it any more.
  Result<client::Future*> make(const rpc::WireValue& value, MentionsPtr mentions);

  // All of them are lost.
  void peer_lost();
  // The node says nothing about them from now on.
  void stop();
  bool is_needed();

 private:
  struct Record {
    rpc::WireValue value;
    MentionsPtr mentions;
    int tries = 0;
  };
  using Key = std::pair<uint32_t, uint64_t>;

  static Key key_of(const rpc::EntryKey& entry) { return {entry.entry, entry.generation}; }
  void changed(const rpc::ObjectChange& change);
  void fetch(Key key);
  bool may_try_again(Key key, ErrorKind why);
  void fetched(Key key, Result<std::vector<client::Future*>> made);
  // Whoever takes it out is the one who ends it.
  bool take(Key key, Record& out);

  client::Client& client_;
  client::Relay relay_;
  Incoming& incoming_;
  KeptThere& there_;
  std::mutex lock_;
  std::map<Key, Record> records_;
  bool lost_ = false;
};

}  // namespace sabir::gateway
