// A process that does nothing but outlive sabird by a moment: when sabird is gone, however that happened, it kills the
// process groups that sabird had. PDEATHSIG alone would spare what workers forked.
#pragma once

#include <sys/types.h>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace sabir::node {

class Guard {
 public:
  // Forks it. To be called early, with one thread and nothing mapped yet: it keeps what there is.
  static Result<Guard> start();
  // Guards nothing.
  Guard() = default;

  // A leader of a process group. Twice is fine.
  void add(pid_t leader) const { tell(leader); }
  // Before the leader is reaped: afterwards its number may be somebody else's.
  void remove(pid_t leader) const { tell(-leader); }

 private:
  explicit Guard(UniqueFd pipe) : pipe_(std::move(pipe)) {}
  void tell(pid_t change) const;

  UniqueFd pipe_;
};

}  // namespace sabir::node
