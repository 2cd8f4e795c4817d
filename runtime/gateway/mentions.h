// What one message of the peer named to this node: the peer keeps it until it hears that it is released.
#pragma once

#include <memory>
#include <vector>

#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

// Says `released` when nobody needs the named objects any more, be it that their bytes have come, that the message was
// refused, or that nobody waited for it: so it is made before anything can go wrong, and shared by all who read the
// message. Any thread; the link outlives it.
class Mentions {
 public:
  explicit Mentions(PeerLink& link) : link_(link) {}
  ~Mentions();
  Mentions(const Mentions&) = delete;
  Mentions& operator=(const Mentions&) = delete;

  // Before it is shared. One count for each place that names an object.
  void add(const rpc::WireValue& value);

 private:
  PeerLink& link_;
  std::vector<rpc::ObjectId> ids_;
};

using MentionsPtr = std::shared_ptr<Mentions>;

MentionsPtr mentions_in(PeerLink& link, const std::vector<rpc::WireValue>& values);
MentionsPtr mentions_in(PeerLink& link, const rpc::WireValue& value);
MentionsPtr mentions_in(PeerLink& link, const std::vector<rpc::WireArg>& args);

}  // namespace sabir::gateway
