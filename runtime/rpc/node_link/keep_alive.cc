#include "runtime/rpc/node_link/keep_alive.h"

namespace sabir::node_link {

KeepAlive::KeepAlive(const Clock& clock, KeepAliveOptions options)
    : clock_(clock), options_(options), alive_at_ns_(clock.now_ns()), looked_at_ns_(alive_at_ns_) {}

KeepAlive::Action KeepAlive::look(const Progress& progress) {
  int64_t now_ns = clock_.now_ns();
  // This process itself stood still (stopped, suspended, starved): what came meanwhile was not read, which says nothing
  // about the peer.
  int64_t gap_ns = now_ns - looked_at_ns_;
  if (gap_ns > options_.ping_after_ns) {
    alive_at_ns_ += gap_ns - options_.ping_after_ns;
  }
  looked_at_ns_ = now_ns;

  bool heard = progress.read_bytes != seen_.read_bytes;
  bool taken = progress.writing && seen_.writing && progress.acknowledged_bytes > seen_.acknowledged_bytes;
  seen_ = progress;
  if (heard || taken) {
    alive_at_ns_ = now_ns;
    pinged_ = false;
    return Action::kNone;
  }
  if (now_ns - alive_at_ns_ >= options_.dead_after_ns) {
    return Action::kDead;
  }
  if (!pinged_ && now_ns - alive_at_ns_ >= options_.ping_after_ns) {
    pinged_ = true;
    return Action::kPing;
  }
  return Action::kNone;
}

}  // namespace sabir::node_link
