#include "runtime/client/notices.h"

#include <utility>

#include "runtime/abi/sabir.h"
#include "runtime/client/elsewhere.h"
#include "runtime/client/execute.h"
#include "runtime/client/groups.h"
#include "runtime/client/progress.h"
#include "runtime/client/wait_room.h"

namespace sabir::client {

void Notices::wake() {
  {
    Lock lock(core_.lock);
    core_.waiting->wake_all();
    core_.waiting->wake_listeners();
  }
  core_.waiting->nudge();
}

void Notices::on_log(std::vector<rpc::LogLines> lines) {
  for (rpc::LogLines& line : lines) {
    Buffer buffer;
    buffer.bytes = line.text;
    buffer.lines = std::move(line);
    queue_->push_buffer(SABIR_EVENT_LOG, std::move(buffer));
  }
  wake();
}

void Notices::on_warn(std::string text) {
  Buffer buffer;
  buffer.bytes = std::move(text);
  queue_->push_buffer(SABIR_EVENT_WARNING, std::move(buffer));
  wake();
}

void Notices::on_collect() {
  core_.progress->collect_loans();
  queue_->push_once(SABIR_EVENT_COLLECT);
  wake();
}

void Notices::on_exit(std::string reason) {
  core_.executor->request_exit();
  Buffer buffer;
  buffer.bytes = std::move(reason);
  queue_->push_buffer(SABIR_EVENT_EXIT, std::move(buffer));
  wake();
}

void Notices::on_group(std::string id, Result<void> outcome) {
  core_.groups->on_notice(std::move(id), std::move(outcome));
}

void Notices::on_objects(std::vector<rpc::ObjectChange> changes) { core_.elsewhere->on_notice(std::move(changes)); }

void Notices::on_disconnect() {
  core_.disconnected.store(true, std::memory_order_seq_cst);
  core_.ring.close();
  wake();
}

}  // namespace sabir::client
