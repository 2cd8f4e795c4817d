// What all peers of one gateway have in common about objects: what this node sends, what it gets, and how that spreads.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "runtime/gateway/copies.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/sends.h"
#include "runtime/gateway/spread.h"

namespace sabir::gateway {

// Any thread.
class NodeObjects {
 public:
  NodeObjects(const Clock& clock, Copies::FindLink find_link) : copies_(clock, sends_, std::move(find_link)) {}

  Copies& copies() { return copies_; }
  // The client is about to go: nothing of its memory is sent or written any more. Its owners have stopped.
  void leave(const client::Client* client) { copies_.leave(client); }

  // --- From a peer; `named`: what this node has named to it.

  void pull(PeerLink& from, NamedObjects& named, const rpc::PullMessage& message);
  void locate(PeerLink& from, NamedObjects& named, const rpc::LocateMessage& message);
  void copy_state(PeerLink& from, const rpc::CopyStateMessage& message);
  // The connection is over.
  void lost(PeerLink& link);

 private:
  Sends sends_;
  Copies copies_;
  std::mutex lock_;  // guards this
  Spread spread_;
};

}  // namespace sabir::gateway
