// Bytes of this node's store on their way to other nodes, by the client whose hold keeps them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "runtime/client/client.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

// Any thread. When a client goes, the store may give its objects' memory to others while a transfer still reads it: the
// receiver must never take that for the object.
class Sends {
 public:
  // `let_go` is called once, when the bytes are not read any more, perhaps at once: by a thread of the link, and not to
  // wait or to call this.
  void send(const client::Client* client, const std::shared_ptr<PeerLink>& link, uint64_t transfer,
            std::span<const uint8_t> source, std::function<void()> let_go);
  // Transfers of the client's bytes have ended or will fail at their receivers. Nothing of it is sent meanwhile or
  // after. Waits for threads of links, and for a peer only while the last frame of a transfer is being written to it.
  void end(const client::Client* client);

 private:
  struct Send {
    const client::Client* client = nullptr;
    std::shared_ptr<PeerLink> link;
    uint64_t transfer = 0;
  };
  void ended(uint64_t number);

  std::mutex lock_;
  uint64_t next_ = 1;
  std::map<uint64_t, Send> sends_;
};

}  // namespace sabir::gateway
