// What the fake machine is made of. Private to world*.cc.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "runtime/node/scheduler_state.h"
#include "tests/simulation/node/world.h"

namespace sabir::simulation {

struct World::Call {
  PlanPtr plan;
  SlotIndex submitter = 0;
  uint32_t submitter_incarnation = 0;
  Call* parent = nullptr;  // null: a driver's, or its parent died
  std::function<void(bool)> done_callback;
  enum class State : uint8_t { kQueued, kRunning, kDone } state = State::kQueued;
  SlotIndex runner = 0;
  // While it runs.
  std::vector<Call*> children;
  size_t submitted = 0;  // of plan->children
};

struct World::Queue {
  QueueIndex index = 0;
  ClassIndex class_index = 0;
  SlotIndex owner = 0;
  std::deque<Call*> calls;
};

struct World::Process {
  SlotIndex slot = 0;
  uint32_t incarnation = 0;
  JobNumber job = 0;
  bool driver = false;
  node::LaunchId process = 0;  // workers that share one have the same
  std::optional<shm::ActorIndex> actor;
  uint32_t actor_incarnation = 0;
  bool leaving = false;
  bool stopped = false;
  uint64_t step = 0;  // events of earlier steps are stale
  // Lease record: class empty means withdrawn.
  uint32_t epoch = 0;
  std::optional<ClassIndex> lease_class;
  std::optional<QueueIndex> first_queue;
  uint64_t gpu_mask = 0;
  bool word_granted = false;
  // The process's own.
  node::WorkerSample page;
  bool blocked_in_lease = false;  // L4: its lease is over at the next border
  bool asleep = true;
  Call* call = nullptr;
};

}  // namespace sabir::simulation
