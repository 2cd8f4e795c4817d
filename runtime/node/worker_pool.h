// How many worker processes there are, and when they start and stop. A state machine: no I/O; the clock comes in.
//
//  W1 At most `max_parallel_launches` processes start at a time, at most `max_processes` workers exist, actors'
//  included. W2 A worker serves one job and one language (L1); a worker of an actor serves that actor alone. W3 Per
//  (job, language), idle workers up to `warm_workers` stay; others leave after `surplus_idle_ns` idle. W4 At the limit
//  of processes an idle worker that nobody needs leaves at once for one that is needed. W5 A launch that fails is
//  repeated after a pause that doubles; after `max_launch_failures` in a row without any
//     success what waits fails with kSystem and the last failure's text, and the pause goes on.
//  W6 A launch that takes longer than `launch_timeout_ns` is aborted and counts as failed.
//  W7 When a job ends all its workers are killed, detached actors' excepted.
//  W8 Where a job asks for several workers in one process (set_slots_per_process), one launch brings so many of them,
//     under ids of their own, or as many as the limit has room for; actors' workers stay alone. It has succeeded when
//     all have joined, and fails once. The process is the unit of life: its workers leave together, when all of them
//     are idle, and who kills one kills all. So a death is still the end of a process (D1).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/node/instructions.h"

namespace sabir::node {

struct WorkerPoolOptions {
  uint32_t max_processes = 256;
  uint32_t max_parallel_launches = 4;
  uint32_t warm_workers = 2;  // usually the CPU count
  int64_t surplus_idle_ns = 5 * kSecondNs;
  int64_t launch_timeout_ns = 60 * kSecondNs;
  int64_t leave_timeout_ns = 10 * kSecondNs;  // an idle worker that was told to leave, then it is killed
  int64_t first_pause_ns = 100 * kMillisecondNs;
  int64_t max_pause_ns = 10 * kSecondNs;
  uint32_t max_launch_failures = 3;
};

enum class WorkerState : uint8_t { kIdle, kLeased, kActor, kLeaving, kDying };

class WorkerPool {
 public:
  // `clock` and `out` must outlive it.
  WorkerPool(WorkerPoolOptions options, const Clock* clock, Instructions* out);

  void add_job(JobNumber job);
  void end_job(JobNumber job);  // W7
  // W8: from the next launch on; fewer where `max_processes` leaves room for fewer. 1 if it is never called.
  void set_slots_per_process(JobNumber job, Language language, uint32_t slots);

  // From the scheduler and the actors.
  void need_workers(JobNumber job, Language language, uint32_t count);
  void launch_actor(const LaunchActor& launch);
  void abort_actor_launch(shm::ActorIndex actor);
  void worker_leased(shm::SlotIndex slot);
  void worker_idle(shm::SlotIndex slot);

  // Starts workers ahead of demand, up to `count` in all for (job, language).
  void prestart(JobNumber job, Language language, uint32_t count);

  // From the shell. What started under `launch` has said hello and has this slot. False: it is not wanted any more
  // (aborted, its job is over); the launch is settled, the shell refuses the hello and kills the process.
  bool worker_ready(LaunchId launch, shm::SlotIndex slot);
  // It never said hello: could not be started, died, was aborted.
  void launch_failed(LaunchId launch, const std::string& text);
  // It is dead. Unknown slots are ignored.
  void worker_gone(shm::SlotIndex slot);
  // It said it leaves (Session.leave).
  void worker_leaving(shm::SlotIndex slot);
  // By the node's own decision. Its process ends, and with it the workers that share it.
  void kill_worker(shm::SlotIndex slot, shm::DeathReason reason, std::string text);

  void tick();
  std::optional<int64_t> next_wake_ns() const;

  struct WorkerView {
    shm::SlotIndex slot = 0;
    JobNumber job = 0;
    Language language = 0;
    WorkerState state = WorkerState::kIdle;
    std::optional<shm::ActorIndex> actor;
    uint32_t incarnation = 0;
    LaunchId process = 0;
  };
  std::optional<WorkerView> worker(shm::SlotIndex slot) const;
  std::vector<WorkerView> workers() const;
  struct LaunchView {
    JobNumber job = 0;
    Language language = 0;
    std::optional<shm::ActorIndex> actor;
    uint32_t incarnation = 0;
    LaunchId process = 0;  // the first launch of its process: workers that share it have the same
    bool aborted = false;
  };
  // A launch whose worker_ready or launch_failed is still owed: whom a hello with its token is from.
  std::optional<LaunchView> launch(LaunchId id) const;
  size_t process_count() const { return workers_.size() + launches_.size(); }
  size_t launch_count() const { return launches_.size(); }

 private:
  using GroupKey = std::pair<JobNumber, Language>;
  struct Group {
    uint32_t needed = 0;
    uint32_t prestart = 0;
    uint32_t slots_per_process = 1;
    uint32_t failures = 0;  // in a row
    int64_t next_launch_ns = 0;
    bool told_full = false;
  };
  struct Worker {
    WorkerView view;
    bool detached = false;
    int64_t since_ns = 0;  // in its state
  };
  struct Launch {
    LaunchView view;
    bool detached = false;
    int64_t started_ns = 0;
  };

  // A process whose workers are all idle.
  struct IdleProcess {
    LaunchId process = 0;
    GroupKey group;
    uint32_t workers = 0;
    int64_t since_ns = 0;  // when the last of them became idle
  };
  std::vector<IdleProcess> idle_processes() const;  // in the order of their launches
  static void sort_longest_idle_first(std::vector<IdleProcess>& processes);
  void tell_to_leave(const IdleProcess& process, const char* why);
  // W3: how many workers of each group could have a lease.
  class Alive;
  Alive alive() const;

  bool may_launch(const GroupKey& key, uint32_t slots);
  void start(const GroupKey& key, const LaunchActor* actor, uint32_t slots);
  // W8: its workers that have not joined are not awaited any more; its end counts as a failure no more.
  void give_up_launches(LaunchId process);
  // W8: none of its workers gets a lease any more.
  void retire_all_of(LaunchId process);
  // W4. True: a process is on its way out.
  bool make_room(const GroupKey& wanted);
  void set_state(Worker& worker, WorkerState state);
  void failed(const LaunchView& launch, const std::string& text);
  void count_failure(const GroupKey& key, const std::string& text);
  void end_surplus();
  uint32_t launching(const GroupKey& key) const;
  uint32_t starting_now() const;
  uint32_t room() const;  // workers that may yet be

  const WorkerPoolOptions options_;
  const Clock* const clock_;
  Instructions* const out_;
  LaunchId next_launch_ = 1;
  std::set<JobNumber> jobs_;
  std::map<GroupKey, Group> groups_;
  std::map<shm::SlotIndex, Worker> workers_;
  std::map<LaunchId, Launch> launches_;
  std::deque<LaunchActor> waiting_actors_;  // in order
};

}  // namespace sabir::node
