// What the node says about values on other nodes (O10, O11): to the gateway, which has to fetch them or may let go of
// them, and to whoever can make them again.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "runtime/client/core.h"

namespace sabir::client {

class Elsewhere {
 public:
  // kWanted or kUnheld; on the progress thread, without the client's lock.
  using Handler = std::function<void(const rpc::ObjectChange&)>;

  explicit Elsewhere(Core& core) : core_(core) {}

  // Null: nobody is told from now on, and nobody is being told.
  void set_handler(Handler handler);

  // On the control thread, which must not wait.
  void on_notice(std::vector<rpc::ObjectChange> changes);
  // On the progress thread, without the lock: what on_notice() left.
  void settle();

 private:
  Core& core_;
  std::mutex lock_;  // guards news_
  std::vector<rpc::ObjectChange> news_;
  std::mutex handler_lock_;  // held while it runs
  Handler handler_;
};

}  // namespace sabir::client
