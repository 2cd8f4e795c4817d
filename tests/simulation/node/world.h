// A machine that is not there: fake processes that execute fake calls under the leases that a real Coordinator grants,
// in simulated time, by a seed. What happens between sabird and its processes (rings, looks, wake-ups, launches,
// deaths) takes random time here and comes in every order that the protocol allows.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/control/control_store.h"
#include "runtime/node/coordinator.h"

namespace sabir::simulation {

using node::JobNumber;
using node::ResourceRequest;
using shm::ClassIndex;
using shm::QueueIndex;
using shm::SlotIndex;

inline constexpr int64_t kUs = kMicrosecondNs;
inline constexpr int64_t kMs = kMillisecondNs;

// What a call does when it runs: compute, submit its children, get them, compute.
struct Plan {
  enum class Get : uint8_t {
    kAll,       // submit all, get all at once
    kInOrder,   // submit all, get one after the other
    kOneByOne,  // submit and get one, then the next
  };
  ClassIndex class_index = 0;
  int64_t before_ns = 0;
  int64_t after_ns = 0;
  Get get = Get::kAll;
  std::vector<std::shared_ptr<const Plan>> children;
};
using PlanPtr = std::shared_ptr<const Plan>;

struct WorldOptions {
  std::vector<ResourceRequest> resources = {{"CPU", 2 * node::kUnit}};
  node::CoordinatorOptions coordinator;
  double launch_failure = 0;  // probability
  uint32_t slots_per_process = 1;
  int64_t launch_ns = 5 * kMs;
  int64_t spin_ns = 20 * kUs;
  // In which order a worker goes round the queues of its class after the first one.
  enum class Round : uint8_t { kNewestFirst, kOldestFirst, kAnywhere } round = Round::kAnywhere;
  bool call_deaths_are_retried = true;
};

class World {
 public:
  World(uint64_t seed, WorldOptions options);
  ~World();

  // A job and its driver.
  JobNumber add_job();
  ClassIndex declare(JobNumber job, const std::vector<ResourceRequest>& resources);
  // By the job's driver. `done` is told whether it succeeded.
  void submit(JobNumber job, PlanPtr plan, std::function<void(bool)> done = {});
  void end_job(JobNumber job);

  // Actors that live, compute nothing, and end.
  Result<shm::ActorIndex> create_actor(control::ActorSpec spec);
  void kill_actor(shm::ActorIndex actor, bool no_restart);
  void drop_handles(shm::ActorIndex actor);

  // SIGSTOP: every worker there is stops for ever; those that come later run.
  void stop_all_workers();
  // A random worker dies by itself; false: there is none.
  bool kill_one_worker();

  void at(int64_t delay_ns, std::function<void()> what);
  void run_for(int64_t duration_ns);
  // Until no call is left, or the time is over (false).
  bool run_until_quiet(int64_t limit_ns);

  uint64_t random(uint64_t below) { return below == 0 ? 0 : engine_() % below; }
  bool chance(double probability) { return static_cast<double>(engine_() % 1'000'000) < probability * 1e6; }
  int64_t now_ns() const { return clock_.now_ns(); }
  node::Coordinator& coordinator() { return *coordinator_; }

  // --- Observed
  uint64_t calls_open() const { return open_calls_; }
  uint64_t calls_done = 0, calls_failed = 0, looks = 0;
  std::map<ClassIndex, Error> failures;  // the last FailClass
  std::map<ClassIndex, int64_t> class_executed_ns;
  std::map<JobNumber, int64_t> executed_ns;  // compute time of finished records
  size_t most_processes = 0;
  std::map<ClassIndex, size_t> most_running;  // records at a time
  size_t process_count() const;
  std::map<shm::ActorIndex, shm::ActorWord> actor_words;
  std::map<shm::ActorIndex, int> args_held;
  // Everything granted was given back.
  void expect_nothing_left();
  std::string describe() const;

 private:
  struct Call;
  struct Process;
  struct Queue;
  struct Event {
    int64_t at_ns;
    uint64_t order;
    std::function<void()> what;
    bool operator<(const Event& other) const { return std::tie(at_ns, order) > std::tie(other.at_ns, other.order); }
  };

  int64_t latency() { return (10 + static_cast<int64_t>(random(90))) * kUs; }
  void ring();
  void ring_at(std::optional<int64_t> wake_ns);
  void look();
  void act();
  void check();
  void carry_out(node::Instruction& instruction);
  void carry_out_lease(node::Instruction& instruction);
  // One of the launch's workers joins.
  void launched(const node::LaunchWorker& launch, node::LaunchId id);
  // What is left of it: its workers die, those that have not joined fail.
  void process_over(node::LaunchId process, const std::string& text);
  void dies(SlotIndex slot, uint32_t incarnation, const std::string& text);
  SlotIndex take_slot();
  Queue& queue_of(SlotIndex slot, ClassIndex class_index);
  void enqueue(Call* call);
  void wake(SlotIndex slot);
  void border(Process& worker);
  Call* claim(Process& worker);
  void begin(Process& worker, Call* call);
  void advance(Process& worker);
  void await(Process& worker);
  void resume(Process& worker);
  void finish(Process& worker);
  void settle(Call* call, bool good);
  Call* make_call(PlanPtr plan, SlotIndex submitter, Call* parent);
  // Runs `what` later if the process still lives its present life.
  void later(Process& process, int64_t delay_ns, void (World::*what)(Process&));

  std::mt19937_64 engine_;
  const WorldOptions options_;
  ManualClock clock_;
  control::MemoryStorage storage_;
  control::ControlStore control_;
  std::unique_ptr<node::Coordinator> coordinator_;
  std::priority_queue<Event> events_;
  uint64_t next_order_ = 0;
  std::optional<int64_t> next_look_ns_;
  bool watching_ = false;

  std::map<SlotIndex, std::unique_ptr<Process>> processes_;
  std::map<SlotIndex, std::pair<uint32_t, uint32_t>> slot_history_;  // incarnation, lease epoch
  std::map<QueueIndex, std::unique_ptr<Queue>> queues_;
  std::map<ClassIndex, std::vector<SlotIndex>> listed_;  // ClassRecord.workers
  std::map<JobNumber, SlotIndex> drivers_;
  std::vector<std::unique_ptr<Call>> calls_;
  struct Owed {
    node::LaunchId process = 0;
    bool aborted = false;
  };
  std::map<node::LaunchId, Owed> launches_;
  uint64_t open_calls_ = 0;
  QueueIndex next_queue_ = 0;
  uint64_t next_actor_id_ = 0;
};

}  // namespace sabir::simulation
