// Two ends of a link in one process. Messages go through their wire form.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/gateway/peer_link.h"

namespace sabir::testing {

class LoopbackLink final : public gateway::PeerLink {
 public:
  using Receive = std::function<Result<void>(rpc::NodeMessage)>;

  LoopbackLink() : thread_([this] { run(); }) {}
  ~LoopbackLink() override { close(); }
  static void join(LoopbackLink& a, LoopbackLink& b) {
    a.other_ = &b;
    b.other_ = &a;
  }
  // What comes before this waits.
  void set_receiver(Receive receive);
  // Before it is joined.
  void name(rpc::NodeKeyBytes self) { self_ = std::move(self); }
  // Until it is over, what comes to this end waits, transfers half done with it.
  void hold(bool holds);
  // Nothing is received or sent any more; transfers that wait end as disconnected.
  void close();

  // Nothing is kept: who made it keeps it.
  std::shared_ptr<gateway::PeerLink> share() override { return {std::shared_ptr<void>(), this}; }
  const rpc::NodeKeyBytes& self() const override { return self_; }
  const rpc::NodeKeyBytes& peer() const override { return other_->self_; }
  void post(rpc::NodeMessage message) override;
  void cancel_receive(uint64_t transfer) override;
  void want_sweep() override {}  // whoever has the exchange sweeps it as it goes
  uint64_t receive(std::span<uint8_t> destination, OnEnd on_end) override;
  void send(uint64_t transfer, std::span<const uint8_t> source, OnEnd on_end) override;
  // What is under way is copied in one step, later: it waits for that.
  void cancel_send(uint64_t transfer, std::function<void()> done) override;
  void refuse(uint64_t transfer, Error why) override;

  uint64_t sent_bytes() const { return sent_bytes_.load(); }

 private:
  struct Transfer {
    std::span<uint8_t> destination;
    OnEnd on_end;
  };
  struct Task {
    std::function<void()> run;
    std::function<void()> dropped;  // instead of that, when the link is closed; may be none
  };
  void run();
  void queue(std::function<void()> run, std::function<void()> dropped);
  // Of one that has been cancelled: no `on_end`.
  Transfer take(uint64_t transfer);

  // One node of two lives: the two ends are told apart by that.
  rpc::NodeKeyBytes self_{std::string(16, 'n'), reinterpret_cast<uintptr_t>(this)};
  LoopbackLink* other_ = nullptr;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  Receive receive_;
  std::map<uint64_t, Transfer> transfers_;
  uint64_t next_transfer_ = 1;
  bool holds_ = false;
  bool closed_ = false;
  bool ended_ = false;  // and nothing runs any more
  std::atomic<uint64_t> sent_bytes_{0};
  std::thread thread_;
};

}  // namespace sabir::testing
