// The process of a control store: its file, its socket to sabird, its clock. Ends with sabird.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/control/durable_control.h"
#include "runtime/head/control_service.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/timer.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/frame_pipe.h"

namespace sabir::head {

// Belongs to the loop's thread.
class ControlShell final : private ServiceOut {
 public:
  // `channel`: the socket to sabird. `on_end`: sabird is gone, or this cannot go on.
  ControlShell(loop::EventLoop& loop, Logger logger, UniqueFd channel,
               std::function<void(const std::string& why)> on_end);
  // Writes what is under way.
  ~ControlShell() override;

 private:
  void receive(std::string_view bytes);
  void start(const rpc::StartControl& start);
  void tell(const rpc::FromControl& message) { pipe_.send(rpc::encode(message)); }
  void fail(const rpc::ControlFailed& failed);
  void plan();

  // --- ServiceOut
  void say(const cluster::NodeKey& to, const cluster::ClusterMessage& message) override;
  void answer_join(uint64_t number, const cluster::RegisterAnswer& answer) override;

  loop::EventLoop& loop_;
  Logger logger_;
  const std::function<void(const std::string&)> on_end_;
  SteadyClock clock_;
  std::unique_ptr<control::DurableControl> control_;
  std::unique_ptr<ControlService> service_;
  loop::Timer timer_;
  rpc::FramePipe pipe_;
};

}  // namespace sabir::head
