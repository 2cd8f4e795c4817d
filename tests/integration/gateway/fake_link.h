// A link whose other end is the test.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "runtime/gateway/peer_link.h"

namespace sabir::testing {

class FakeLink final : public gateway::PeerLink {
 public:
  struct Receive {
    std::span<uint8_t> destination;
    OnEnd on_end;
  };

  std::shared_ptr<gateway::PeerLink> share() override { return {std::shared_ptr<void>(), this}; }
  const rpc::NodeKeyBytes& self() const override { return self_; }
  const rpc::NodeKeyBytes& peer() const override { return peer_; }
  void want_sweep() override {}
  void cancel_receive(uint64_t) override {}
  void post(rpc::NodeMessage message) override {
    std::lock_guard guard(lock_);
    posted_.push_back(std::move(message));
  }
  uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) override {
    std::lock_guard guard(lock_);
    receives_.push_back({destination, std::move(on_end)});
    return receives_.size();
  }
  void send(uint64_t, std::span<const uint8_t>, OnEnd on_end) override { on_end({}); }
  void cancel_send(uint64_t, std::function<void()> done) override { done(); }
  void refuse(uint64_t, Error) override {}

  // Those of one kind since the last call.
  template <typename Message>
  std::vector<Message> take() {
    std::lock_guard guard(lock_);
    std::vector<Message> taken;
    std::vector<rpc::NodeMessage> rest;
    for (rpc::NodeMessage& message : posted_) {
      if (auto* one = std::get_if<Message>(&message)) {
        taken.push_back(std::move(*one));
      } else {
        rest.push_back(std::move(message));
      }
    }
    posted_ = std::move(rest);
    return taken;
  }
  std::vector<Receive> receives() {
    std::lock_guard guard(lock_);
    return receives_;
  }

 private:
  const rpc::NodeKeyBytes self_{std::string(16, 's'), 1};
  const rpc::NodeKeyBytes peer_{std::string(16, 'p'), 1};
  std::mutex lock_;
  std::vector<rpc::NodeMessage> posted_;
  std::vector<Receive> receives_;
};

}  // namespace sabir::testing
