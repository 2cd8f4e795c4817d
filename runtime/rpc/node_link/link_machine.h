// LinkMachine: the life of one lane between two nodes, without input or output: event in, actions out.
#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "runtime/base/clock.h"
#include "runtime/rpc/node_link/hello.h"
#include "runtime/rpc/node_link/refusal.h"

namespace sabir::node_link {

enum class LinkState : uint8_t {
  kIdle,        // nobody has wanted it
  kConnecting,  // a dial is under way
  kUp,
  kBackingOff,  // waits to dial again
  kClosed,      // for good; why() says why
};

struct LinkOptions {
  int64_t first_delay_ns = 100 * kMillisecondNs;  // doubled with each failure in a row
  int64_t max_delay_ns = 10 * kSecondNs;
  // A connection that lasted this long ends a row of failures.
  int64_t stable_ns = 10 * kSecondNs;
  // How long a hello may have been on its way that was sent before ours was answered.
  int64_t cross_window_ns = 2 * kSecondNs;
};

// What the shell has to do, in this order.
struct LinkActions {
  bool drop_dial = false;
  bool drop_connection = false;  // the one that was up before this event
  bool dial = false;

  bool operator==(const LinkActions&) const = default;
};

// Events that cannot be (a dial that ends while none is under way) are ignored: the shell may be late.
class LinkMachine {
 public:
  // `seed` is for the jitter, which keeps nodes that lost the same peer from returning in step.
  LinkMachine(const Clock& clock, uint64_t seed, NodeId own, NodeKey peer, LinkOptions options = {})
      : clock_(clock), random_(seed), own_(own), peer_(peer), options_(options) {}

  LinkState state() const { return state_; }
  // Of the last failure; of the end, once closed.
  const Failure& why() const { return why_; }
  // When tick() is due.
  std::optional<int64_t> wake_at_ns() const;

  // Somebody needs the lane. From now on it is kept up.
  LinkActions want();
  // kNone: the connection is there.
  LinkActions dial_ended(const Failure& failure);
  // Whether a hello of the peer is welcome.
  Failure offer(uint64_t incarnation) const;
  // The offered connection has come. It is to be dropped unless the state is kUp now.
  LinkActions accepted();
  // The connection that is up has ended.
  LinkActions lost(const Failure& failure);
  LinkActions tick();
  // For good: `why` is what hellos are refused with.
  LinkActions close(const Failure& why);

 private:
  void come_up(bool dialed);
  void back_off(bool count);

  const Clock& clock_;
  std::mt19937_64 random_;
  NodeId own_;
  NodeKey peer_;
  LinkOptions options_;
  LinkState state_ = LinkState::kIdle;
  Failure why_;
  bool wanted_ = false;
  bool dialed_ = false;  // the connection that is up
  int64_t up_since_ns_ = 0;
  int64_t retry_at_ns_ = 0;
  uint32_t failures_ = 0;  // in a row
};

}  // namespace sabir::node_link
