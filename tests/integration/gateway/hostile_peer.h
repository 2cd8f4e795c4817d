// A peer that has logged in and says what comes into its mind: messages of all kinds that are well formed, by a seed.
// Numbers and ids come from small ranges, so that many of them mean something.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/gateway/peer_link.h"

namespace sabir::testing {

class HostilePeer {
 public:
  explicit HostilePeer(uint32_t seed) : random_(seed) {}

  // Numbers of calls and actors that the other side has chosen: from now on some messages name them.
  void learn(const rpc::NodeMessage& message);
  rpc::NodeMessage next();
  uint64_t pick(uint64_t bound) { return random_() % bound; }

 private:
  static constexpr uint64_t kIds = 6;

  rpc::ObjectId id() { return {77, 1 + pick(kIds)}; }
  uint64_t number();
  std::string bytes(size_t most);
  rpc::WireValue value(uint64_t bound = kIds + 1);
  std::vector<rpc::WireArg> args();
  rpc::NodeMessage definition();
  rpc::NodeMessage about_calls();
  rpc::NodeMessage about_actors();
  rpc::NodeMessage about_objects();

  std::mt19937 random_;
  std::vector<uint64_t> numbers_;
};

// The link to it. Transfers end as its chance wants, when end_some() is called.
class HostileLink final : public gateway::PeerLink {
 public:
  HostileLink(HostilePeer& peer, std::mutex& peer_lock) : peer_(peer), peer_lock_(peer_lock) {}

  std::shared_ptr<gateway::PeerLink> share() override { return {std::shared_ptr<void>(), this}; }
  const rpc::NodeKeyBytes& self() const override { return self_; }
  const rpc::NodeKeyBytes& peer() const override { return key_; }
  void post(rpc::NodeMessage message) override;
  void want_sweep() override {}
  uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) override;
  void cancel_receive(uint64_t transfer) override;
  void send(uint64_t, std::span<const uint8_t>, OnEnd on_end) override { on_end({}); }
  void cancel_send(uint64_t, std::function<void()> done) override { done(); }
  void refuse(uint64_t, Error) override {}

  // `all`: as when the connection is over.
  void end_some(bool all);
  size_t posted() const { return posted_; }

 private:
  struct Transfer {
    uint64_t number = 0;
    std::span<uint8_t> destination;
    OnEnd on_end;
  };

  HostilePeer& peer_;
  std::mutex& peer_lock_;
  const rpc::NodeKeyBytes self_{std::string(16, 's'), 1};
  const rpc::NodeKeyBytes key_{std::string(16, 'p'), 1};
  std::mutex lock_;
  std::vector<Transfer> transfers_;
  uint64_t last_transfer_ = 0;
  size_t posted_ = 0;
};

}  // namespace sabir::testing
