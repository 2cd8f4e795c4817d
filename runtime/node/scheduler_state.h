// The scheduler's tables, and the questions about them that its events (scheduler.cc) and its decisions
// (scheduler_decide.cc) share. Private to the scheduler.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/node/scheduler.h"

namespace sabir::node {

struct Scheduler::State {
  using GroupKey = std::pair<JobNumber, Language>;

  struct Job {
    uint32_t weight = 1;
    bool over = false;
    bool active = false;    // S3: waits for something or is being served
    int64_t served_ns = 0;  // lease time by weight; raised to that of the others when it becomes active
    uint32_t serving = 0;   // leases that count, as of the last tick
    uint32_t placed = 0;    // of this tick: not in served_ns yet
  };

  struct Class {
    shm::ClassIndex index = 0;
    JobNumber job = 0;
    Language language = 0;
    ResourceSet asked;
    // What a lease takes: the same, or S13: of this account, in its ids.
    ResourceSet resources;
    AccountId account = kNodeAccount;
    bool has_account = true;
    ClassPlace place;
    uint64_t allowed = UINT64_MAX;  // S12
    std::string infeasible;
    std::set<shm::QueueIndex> queues;
    uint64_t waiting = 0;
    int64_t waiting_since_ns = 0;               // since when waiting > 0
    std::optional<int64_t> one_spare_since_ns;  // S8
    shm::QueueIndex last_first_queue = 0;
    bool active = false;
    int64_t served_ns = 0;
    uint32_t leases = 0;   // outstanding: not over, whatever their state
    uint32_t listed = 0;   // of these, in ClassRecord.workers
    uint32_t serving = 0;  // those that count for fairness, as of the last tick

    // Its calls are for this node to run.
    bool servable() const { return infeasible.empty() && allowed > 0 && has_account; }
    bool waits() const { return waiting > 0 && servable(); }
  };

  struct Queue {
    shm::ClassIndex class_index = 0;
    shm::SlotIndex owner = 0;
    uint64_t waiting = 0;
  };

  // A lease is *outstanding* from the grant to the worker's word. It is *drawing* while its worker may claim under it:
  // not withdrawn, not blocked, and not blocked since the grant (S7).
  struct Worker {
    shm::SlotIndex slot = 0;
    JobNumber job = 0;
    Language language = 0;
    uint32_t epoch = 0;
    std::optional<shm::ClassIndex> lease = {};
    bool listed = false;  // in ClassRecord.workers
    bool withdrawn = false;
    bool lent = false;            // blocked now
    bool over_at_border = false;  // S7: was blocked under this lease
    bool credit = false;          // S6: the CPU it lent has not gone to its own queue yet
    bool running = false;
    bool retired = false;
    uint32_t blocked_counter = 0;
    uint64_t blocked_order = 0;  // larger: later
    uint64_t idle_order = 0;     // larger: later
    int64_t idle_since_ns = 0;   // seen running nothing, or granted
    int64_t returning_since_ns = 0;
    int64_t rung_ns = 0;  // S11
    Allocation allocation = {};

    bool drawing() const { return lease && !withdrawn && !over_at_border; }
    // Comes back at the next border (S2, S7), whenever that is.
    bool returning() const { return lease && !lent && (withdrawn || over_at_border); }
  };

  struct Actor {
    JobNumber job = 0;
    ResourceSet asked;
    ResourceSet resources;  // as in Class
    AccountId account = kNodeAccount;
    bool has_account = true;
    cluster::Placement placement = {};
    uint64_t order = 0;
    bool held = false;  // S12
    bool placed = false;
    bool running = false;
    std::optional<shm::SlotIndex> slot = {};
    uint64_t blocked_order = 0;
    Allocation allocation = {};
  };

  // Something that waits, in the order of S3.
  struct Waiter {
    std::optional<shm::ActorIndex> actor;
    shm::ClassIndex class_index = 0;
    JobNumber job = 0;
    Language language = 0;
    uint64_t wanted = 0;  // leases
    const ResourceSet* resources = nullptr;
    bool same(const Waiter& other) const { return actor == other.actor && (actor || class_index == other.class_index); }
  };

  State(NodeResources resources_in, SchedulerOptions options_in, const Clock* clock_in, Instructions* out_in)
      : resources(std::move(resources_in)), options(options_in), clock(clock_in), out(out_in) {}

  // --- Leases
  void grant(Worker& worker, Class& what, shm::QueueIndex first_queue);
  void withdraw(Worker& worker);
  void end_lease(Worker& worker);
  void unlist(Worker& worker);
  void block(Worker& worker);
  void free_class_if_over(shm::ClassIndex index);

  // --- S13
  // Sets resources, account and has_account of a class or an actor, as things are now.
  // `taken`: what is as good as taken.
  template <typename Asker>
  void choose_account(Asker& asker, const cluster::Placement& placement, const ResourceSet& taken);
  void choose_accounts();
  ResourceSet idle_or_returning() const;

  // --- One decision
  void account();
  void activate();
  void withdraw_excess();
  void pay_debt();
  void pay_debt(ResourceId cpu);
  void collect_waiters();
  void grant_depth_first();
  void grant_fairly();
  void take_from_idle();
  void rotate();
  void announce_needs();
  void ring_idle();
  void fail_if_stuck();
  void fail_class(Class& what, const Error& error);

  // --- Questions
  uint64_t wanted_leases(Class& what);
  uint64_t unblocked_leases(const Class& what) const;
  bool before(const Waiter& a, const Waiter& b) const;
  Waiter* next_waiter(const std::vector<bool>& skip);
  bool may_take(const Waiter& waiter) const;
  Worker* idle_worker(JobNumber job, Language language);
  shm::QueueIndex choose_first_queue(Class& what);
  std::optional<uint64_t> owner_blocked_order(shm::SlotIndex owner) const;
  // S5: nothing is queued for it.
  bool surplus(const Worker& worker) const;
  // Runs nothing, and nothing waits for it.
  bool idle_lease(const Worker& worker) const;
  bool better_served(const Worker& victim, const Waiter& waiter) const;
  // Without those whose call has gone on for so long since they were asked to come back.
  ResourceSet returning(int64_t within_ns = INT64_MAX) const;
  // What can be waited for.
  ResourceSet returning_soon() const { return returning(options.quantum_ns); }
  bool holds_some_of(const Worker& worker, const ResourceSet& wanted) const;
  bool launchable(const GroupKey& key) const { return !full.contains(key); }
  bool all_blocked() const;

  NodeResources resources;
  Bundles bundles;
  const SchedulerOptions options;
  const Clock* const clock;
  Instructions* const out;

  std::map<JobNumber, Job> jobs;
  std::map<shm::ClassIndex, Class> classes;
  std::map<shm::QueueIndex, Queue> queues;
  std::map<shm::SlotIndex, Worker> workers;
  std::map<shm::ActorIndex, Actor> actors;
  std::set<shm::ActorIndex> unplaced;  // of actors: those that wait
  std::map<shm::SlotIndex, shm::ActorIndex> actor_by_slot;
  std::map<GroupKey, uint32_t> told_needs;
  std::map<GroupKey, Error> full;  // no process can be added

  shm::ClassIndex next_class = 0;
  uint64_t next_order = 1;
  std::optional<int64_t> last_tick_ns;
  int64_t last_rotation_ns = 0;
  std::optional<int64_t> stuck_since_ns;
  std::optional<Waiter> reserved;  // S4: what is freed is kept for it

  // Of the current decision.
  std::vector<Waiter> waiters;
  ResourceSet kept;  // S6: for workers being started
  std::map<GroupKey, uint32_t> needs;
};

// a += b, a -= b, by resource.
void add_to(ResourceSet& a, const ResourceSet& b);

}  // namespace sabir::node
