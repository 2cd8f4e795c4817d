#include "runtime/rpc/node_link/link_machine.h"

#include <algorithm>

namespace sabir::node_link {

std::optional<int64_t> LinkMachine::wake_at_ns() const {
  return state_ == LinkState::kBackingOff ? std::optional(retry_at_ns_) : std::nullopt;
}

LinkActions LinkMachine::want() {
  wanted_ = true;
  if (state_ != LinkState::kIdle) {
    return {};
  }
  state_ = LinkState::kConnecting;
  return {.dial = true};
}

LinkActions LinkMachine::dial_ended(const Failure& failure) {
  if (state_ != LinkState::kConnecting) {
    return {};
  }
  if (failure.refusal == Refusal::kNone) {
    come_up(true);
    return {};
  }
  why_ = failure;
  if (!may_pass(failure.refusal)) {
    state_ = LinkState::kClosed;
    return {};
  }
  // Crossed: the peer's own dial is about to come, and no sign of trouble.
  back_off(failure.refusal != Refusal::kCrossed);
  return {};
}

Failure LinkMachine::offer(uint64_t incarnation) const {
  if (state_ == LinkState::kClosed) {
    return why_.refusal == Refusal::kFenced ? why_ : Failure{Refusal::kClosing, "the link was closed"};
  }
  if (incarnation != peer_.incarnation) {
    return {Refusal::kFenced,
            "node " + NodeKey{peer_.id, incarnation}.text() + " is not the incarnation that is alive, " + peer_.text()};
  }
  bool ours_counts = own_ < peer_.id;
  bool fresh = state_ == LinkState::kUp && dialed_ && clock_.now_ns() - up_since_ns_ < options_.cross_window_ns;
  if (ours_counts && (state_ == LinkState::kConnecting || fresh)) {
    return {Refusal::kCrossed, "this node's own dial counts"};
  }
  return {};
}

LinkActions LinkMachine::accepted() {
  LinkActions actions;
  switch (state_) {
    case LinkState::kClosed:
      return {};
    case LinkState::kConnecting:
      actions.drop_dial = true;
      break;
    case LinkState::kUp:
      actions.drop_connection = true;
      break;
    case LinkState::kIdle:
    case LinkState::kBackingOff:
      break;
  }
  come_up(false);
  return actions;
}

LinkActions LinkMachine::lost(const Failure& failure) {
  if (state_ != LinkState::kUp) {
    return {};
  }
  why_ = failure;
  if (clock_.now_ns() - up_since_ns_ >= options_.stable_ns) {
    failures_ = 0;
  }
  if (wanted_) {
    back_off(true);
  } else {
    state_ = LinkState::kIdle;
  }
  return {};
}

LinkActions LinkMachine::tick() {
  if (state_ != LinkState::kBackingOff || clock_.now_ns() < retry_at_ns_) {
    return {};
  }
  state_ = LinkState::kConnecting;
  return {.dial = true};
}

LinkActions LinkMachine::close(const Failure& why) {
  LinkActions actions{.drop_dial = state_ == LinkState::kConnecting, .drop_connection = state_ == LinkState::kUp};
  if (state_ != LinkState::kClosed) {
    state_ = LinkState::kClosed;
    why_ = why;
  }
  return actions;
}

void LinkMachine::come_up(bool dialed) {
  state_ = LinkState::kUp;
  dialed_ = dialed;
  up_since_ns_ = clock_.now_ns();
}

void LinkMachine::back_off(bool count) {
  constexpr uint32_t kMaxDoublings = 30;
  int64_t delay_ns = options_.first_delay_ns;
  for (uint32_t i = 0; i < std::min(failures_, kMaxDoublings) && delay_ns < options_.max_delay_ns; ++i) {
    delay_ns *= 2;
  }
  delay_ns = std::min(delay_ns, options_.max_delay_ns);
  // From half of it to all of it.
  delay_ns -= static_cast<int64_t>(random_() % static_cast<uint64_t>(delay_ns / 2 + 1));
  failures_ += count ? 1 : 0;
  state_ = LinkState::kBackingOff;
  retry_at_ns_ = clock_.now_ns() + delay_ns;
}

}  // namespace sabir::node_link
