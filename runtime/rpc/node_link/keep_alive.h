// KeepAlive: whether the peer of a connection still lives, without input or output.
#pragma once

#include <cstdint>

#include "runtime/base/clock.h"

namespace sabir::node_link {

struct KeepAliveOptions {
  int64_t ping_after_ns = 4 * kSecondNs;   // of silence; longer than between two words of the node managers
  int64_t dead_after_ns = 10 * kSecondNs;  // of silence
};

// Signs of life: bytes that came; and, while a message is being written, bytes that the peer's kernel took: it takes
// more than its buffers hold only if the peer reads. (What it acknowledges of a ping alone proves nothing: a stopped
// process has a living kernel.) One thread; the clock outlives it.
class KeepAlive {
 public:
  struct Progress {
    uint64_t read_bytes = 0;
    uint64_t acknowledged_bytes = 0;
    bool writing = false;
  };
  enum class Action : uint8_t { kNone, kPing, kDead };

  explicit KeepAlive(const Clock& clock, KeepAliveOptions options = {});

  // To be asked every look_interval_ns(). kPing once per silence.
  Action look(const Progress& progress);
  int64_t look_interval_ns() const { return options_.ping_after_ns / 2; }

 private:
  const Clock& clock_;
  KeepAliveOptions options_;
  Progress seen_;
  int64_t alive_at_ns_;
  int64_t looked_at_ns_;
  bool pinged_ = false;
};

}  // namespace sabir::node_link
