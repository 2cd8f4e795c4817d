// The coordinator of placement groups as a part of the control store: its records are rows of the table, and what it
// says leaves when they are on the disk (K1 of group_coordinator.h).
//
// A row that the disk refuses, and all that was decided after it, did not happen: until everything before is on the
// disk nothing is listened to, then the coordinator begins again from the rows. Who asked asks again.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/control/control_store.h"
#include "runtime/control/transactor.h"
#include "runtime/node/cluster/group_coordinator.h"

namespace sabir::head {

class ControlGroups final : private cluster::GroupStorage {
 public:
  // All must outlive it. `epoch` rises with each life of the control store.
  ControlGroups(control::ControlStore* store, control::Transactor* requests, uint64_t epoch,
                cluster::ResourceView* view, const Clock* clock, Logger logger, cluster::GroupCoordinator::Send send);

  // The view has the members.
  void begin() { load(); }
  // Of a member. kCreate and kRemove of a full disk are refused at once.
  void receive(const cluster::NodeKey& from, const cluster::GroupMessage& message);
  // The view has the change already.
  void node_added();
  void node_gone(const cluster::NodeKey& node);
  void tick();
  std::optional<int64_t> next_wake_ns() const;

 private:
  void commit(std::vector<cluster::GroupChange> changes, std::function<void()> durable) override;
  Result<std::string> write(const std::vector<cluster::GroupChange>& changes);
  void refused(const Error& error);
  void load();

  control::ControlStore& store_;
  control::Transactor& requests_;
  const Clock& clock_;
  Logger logger_;
  const cluster::GroupCoordinator::Send send_;
  cluster::GroupCoordinator coordinator_;
  uint64_t attempt_ = 0;                // of what was committed in an earlier one nothing counts
  std::optional<int64_t> load_due_ns_;  // set: a commit was refused
  bool loading_ = false;
};

}  // namespace sabir::head
