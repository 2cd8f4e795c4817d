// What the node says to this process. Called on the control thread, which must neither wait nor call the node.
#pragma once

#include <memory>

#include "runtime/client/core.h"
#include "runtime/client/event_queue.h"

namespace sabir::client {

class Notices final : public rpc::NoticeHandler {
 public:
  Notices(Core& core, std::shared_ptr<EventQueue> queue) : core_(core), queue_(std::move(queue)) {}

  void on_log(std::vector<rpc::LogLines> lines) override;
  void on_warn(std::string text) override;
  void on_collect() override;
  void on_exit(std::string reason) override;
  void on_group(std::string id, Result<void> outcome) override;
  void on_objects(std::vector<rpc::ObjectChange> changes) override;
  void on_disconnect() override;

 private:
  // Threads in queue_next look again.
  void wake();

  Core& core_;
  std::shared_ptr<EventQueue> queue_;
};

}  // namespace sabir::client
