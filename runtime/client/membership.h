// What this process is in its session: its slot, and its mappings of the three segments. Constant after the handshake.
#pragma once

#include <memory>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/rpc/session_client.h"
#include "runtime/shm/segment.h"
#include "runtime/store/mapping.h"

namespace sabir::client {

class Membership {
 public:
  // Of a session whose welcome has arrived; maps what came with it.
  static Result<std::unique_ptr<Membership>> join(std::unique_ptr<rpc::SessionClient> session, bool is_worker,
                                                  const Clock& clock);

  const Clock& clock() const { return clock_; }
  rpc::SessionClient& session() const { return *session_; }
  const rpc::WelcomeInfo& welcome() const { return session_->welcome(); }
  const shm::NodeView& node() const { return node_; }
  const shm::CallsView& calls() const { return calls_; }
  const store::ObjectsView& objects() const { return objects_; }
  shm::SlotIndex slot() const { return slot_; }
  shm::ProcessPage& page() const { return page_; }
  bool is_worker() const { return is_worker_; }
  // First half of the ids of what this process makes: unique in time and space.
  uint64_t uid() const { return uid_of(slot(), welcome().process.incarnation); }
  uint64_t uid_of(shm::SlotIndex slot, uint32_t incarnation) const;

 private:
  Membership(std::unique_ptr<rpc::SessionClient> session, bool is_worker, const Clock& clock, shm::NodeView node,
             shm::CallsView calls, store::ObjectsView objects)
      : clock_(clock),
        session_(std::move(session)),
        is_worker_(is_worker),
        node_(std::move(node)),
        calls_(std::move(calls)),
        objects_(std::move(objects)),
        slot_(session_->welcome().process.slot),
        page_(calls_.page(slot_)) {}

  const Clock& clock_;
  std::unique_ptr<rpc::SessionClient> session_;
  bool is_worker_;
  shm::NodeView node_;
  shm::CallsView calls_;
  store::ObjectsView objects_;
  shm::SlotIndex slot_;
  shm::ProcessPage& page_;
};

}  // namespace sabir::client
