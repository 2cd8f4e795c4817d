// R1, R3: after a death each process repairs its own records. Under the client's lock.
#pragma once

#include <string>
#include <vector>

#include "runtime/client/call.h"
#include "runtime/client/core.h"

namespace sabir::client {

class Repairer {
 public:
  explicit Repairer(Core& core) : core_(core) {}

  // Reads the log to its end and repairs for each death. Acknowledges when nothing of the dead is left here (D3).
  void run();
  // R3: looks at all own cells without a death.
  void scan();
  // Nothing of a dead process runs here any more, perhaps: acknowledges what is due.
  void acknowledge();
  bool owes_acknowledgement() const { return owes_; }

 private:
  void repair(const shm::Death& death);
  void repair_call(Call* call, const shm::Death& death, const std::string& how);
  std::string describe(const shm::Death& death) const;

  Core& core_;
  std::vector<shm::Death> unacknowledged_;
  bool owes_ = false;
};

// "was killed by signal 9 (SIGKILL)", "exited with status 3".
std::string describe_end(int wait_status, shm::DeathReason reason);

}  // namespace sabir::client
