// Who may run what: leases by scheduling class, actors' resources, fairness, and CPUs lent by blocked workers
// (protocol L1-L4). A state machine: events in, instructions out; no I/O, one thread, the clock comes in.
//
// The rules, numbered because the tests cite them:
//  S1 A lease or an actor takes its resources when they are free, never more. Only a blocked worker that resumes takes
//     its CPU back at once (L4); until that debt is paid nothing is granted that needs a CPU.
//  S2 A withdrawn lease holds its resources until the worker's word (lease_epoch_done) or its death (L2).
//  S3 What is free goes to the job that was served least, in lease time, and in it to an actor before a class, and to
//     the class that was served least. Who starts to wait gets no credit for the time it did not.
//  S4 While somebody waits for what leases hold, each quantum (20 ms) one lease goes from the best-served to the
//     worst-served, if they differ by a quantum. What is freed for a waiter is kept for it. A lease whose worker has
//     not given it back after a quantum runs a long call: it is not counted on, the next one is asked for.
//  S5 A lease whose class has nothing queued is withdrawn at once when somebody waits for what it holds, one that runs
//     nothing before one that does; else kept.
//  S6 A blocked worker lends its CPU, and nothing else. The CPU goes first to the queue of that worker, then to those
//     of other blocked workers, latest first: depth first. While a worker for it is being started it is kept for it.
//  S7 A lease that was lent is over at the next border: the scheduler counts on its return as if withdrawn.
//  S8 One call waiting behind leases that all run gets a lease of its own only after it has waited `grow_delay_ns`
//     (a synchronous caller keeps one worker); the first lease of a class, and more than one waiting call, at once.
//  S9 A class without CPU is limited to `max_cpuless_leases` leases that are not blocked.
//  S10 When no process can be added and all that holds a lease or hosts an actor has been blocked for `stuck_ns`, what
//     waits fails with kExhausted: a recursion deeper than the limit of processes.
//  S11 A worker that runs nothing for a quantum while calls wait that its lease is for is rung, each quantum: whoever
//     appended them may have been stopped before it rang anybody.
//  S12 Where the calls of a class with a strategy run is decided outside (place_calls.h): it has at most as many leases
//      that are not blocked as it was allowed, none at first. What it holds beyond is withdrawn, and counts for
//      nothing.
//  S13 A class or an actor of a placement group takes from a bundle of it that is here and open, and from nothing else;
//      any bundle: of those that fit the fullest one. CPUs lent by who runs in a bundle are the bundle's. Without such
//      a bundle it waits. What runs in a bundle that is closed is to end (users()).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/cluster/placement.h"
#include "runtime/node/instructions.h"
#include "runtime/node/resources.h"

namespace sabir::node {

struct SchedulerOptions {
  int64_t quantum_ns = 20 * kMillisecondNs;    // L1
  int64_t grow_delay_ns = 2 * kMillisecondNs;  // S8
  uint32_t max_cpuless_leases = 16;            // S9
  // A leased worker that runs nothing counts as help for what waits so long (it may be stopped, or dying).
  int64_t help_ns = 50 * kMillisecondNs;
  // All is blocked and no process can be added for so long: what waits fails (L4).
  int64_t stuck_ns = kSecondNs;
};

// Where the calls of a class may run.
struct ClassPlace {
  cluster::Strategy strategy = {};
  // Another node has sent them here, so its decision is made. Of `strategy` the placement alone counts then.
  bool here_only = false;
  // This node takes no work: all of its calls run on others.
  bool elsewhere_only = false;
  bool operator==(const ClassPlace&) const = default;

  bool decided_outside() const { return !here_only && (strategy != cluster::Strategy{} || elsewhere_only); }
  const cluster::Placement& placement() const { return strategy.placement; }
};

// What the shell read from a worker's page: claims (T3), each loaded once.
struct WorkerSample {
  uint32_t blocked = 0;           // the counter: odd while it is blocked (L4)
  uint32_t lease_epoch_done = 0;  // L2
  bool running = false;           // it runs a call (function_plus_one != 0)
};

class Scheduler {
 public:
  // `clock` and `out` must outlive it.
  Scheduler(NodeResources resources, SchedulerOptions options, const Clock* clock, Instructions* out);
  ~Scheduler();

  // S13: the bundles of a placement that are here and open, by their accounts. Before the first class in a group.
  using Bundles = std::function<std::vector<AccountId>(const cluster::Placement&)>;
  void set_bundles(Bundles bundles);

  // --- Jobs and classes
  void add_job(JobNumber job, uint32_t weight = 1);
  // Nothing of this job is granted any more; its leases end with its workers, its classes when their queues are closed.
  void end_job(JobNumber job);

  struct Declared {
    shm::ClassIndex class_index = 0;
    std::string infeasible;  // for people; empty: this node can serve it
  };
  // The same class for the same (job, language, resources, place). kNotFound: no such job. kExhausted: kMaxClasses.
  // kInvalid: bad amounts.
  Result<Declared> declare_class(JobNumber job, Language language, const std::vector<ResourceRequest>& resources,
                                 ClassPlace place = {});
  // S12. Of a class that is there.
  void allow(shm::ClassIndex class_index, uint64_t leases);
  // All that waits in it now fails.
  void fail_class(shm::ClassIndex class_index, const Error& error);
  // Some class has a strategy of its own.
  bool has_strategies() const;
  // `owner` is the submitter's slot.
  void open_queue(shm::QueueIndex queue, shm::ClassIndex class_index, shm::SlotIndex owner);
  void close_queue(shm::QueueIndex queue);

  // --- Workers of tasks
  // It is idle and has no lease. `epoch` is the last epoch of its slot's lease record.
  void add_worker(shm::SlotIndex slot, JobNumber job, Language language, uint32_t epoch);
  // It is dead: its lease and what it lent are settled.
  void remove_worker(shm::SlotIndex slot);
  // It gets no lease any more; one it holds is withdrawn.
  void retire_worker(shm::SlotIndex slot);

  // --- Observations, then tick()
  void observe_queue(shm::QueueIndex queue, uint64_t waiting);  // in the ring and behind it (Q4)
  void observe_worker(shm::SlotIndex slot, const WorkerSample& sample);
  // Decides. To be called after events and observations, and at next_wake_ns().
  void tick();
  // When time alone changes something.
  std::optional<int64_t> next_wake_ns() const;

  // --- Actors
  // `held`: whether it is to live here is decided outside, as of classes (S12): it waits until allow_actor().
  // `placement`: S13.
  void place_actor(shm::ActorIndex actor, JobNumber job, const ResourceSet& resources, bool held = false,
                   const cluster::Placement& placement = {});
  void allow_actor(shm::ActorIndex actor);
  void unplace_actor(shm::ActorIndex actor);
  // The process that hosts it, so that blocking lends its CPU.
  void bind_actor(shm::ActorIndex actor, shm::SlotIndex slot);

  // --- From the pool
  void workers_unavailable(JobNumber job, Language language, const Error& error);
  void pool_full(JobNumber job, Language language, const Error& error);

  // Who holds something of this account (S13): workers with a lease, and actors.
  struct Users {
    struct Worker {
      shm::SlotIndex slot = 0;
      bool running = false;
      bool withdrawn = false;
    };
    std::vector<Worker> workers;
    std::vector<shm::ActorIndex> actors;
  };
  Users users(AccountId account) const;
  // True: that much is free, or will not be soon. Else leases that run nothing were asked to end: ask again.
  bool make_room(const ResourceSet& wanted);
  // Its lease ends at the next border.
  void withdraw_lease(shm::SlotIndex slot);

  // --- For status and tests
  NodeResources& resources();
  const NodeResources& resources() const;
  // Free, and held by leases that run nothing while nothing waits for them.
  Units available(ResourceId id) const;
  struct ClassView {
    shm::ClassIndex class_index = 0;
    JobNumber job = 0;
    Language language = 0;
    const ResourceSet* resources = nullptr;
    uint64_t waiting = 0;
    uint32_t leases = 0;
    bool infeasible = false;
    int64_t served_ns = 0;  // lease time, as fairness counts it
    const ClassPlace* place = nullptr;
    uint64_t leases_here = 0;  // not blocked, S12
  };
  std::vector<ClassView> classes() const;
  struct LeaseView {
    bool known = false;
    std::optional<shm::ClassIndex> class_index;
    uint32_t epoch = 0;
    bool withdrawn = false, blocked = false, running = false;
  };
  LeaseView lease(shm::SlotIndex slot) const;
  // Anything waiting, running or owed: the shell keeps its timer.
  bool busy() const;
  int64_t job_served_ns(JobNumber job) const;
  // SABIR_CHECKs the accounts: what is held plus what is free is the total, and so on. For tests.
  void check_invariants() const;

 private:
  struct State;  // scheduler_state.h

  std::unique_ptr<State> state_;
};

}  // namespace sabir::node
