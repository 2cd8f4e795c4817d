// The life of actors: from registration to death, with restarts. A state machine: no I/O; the clock comes in.
//
//   kWaitingArgs -> kWaitingResources -> kLaunching -> kConstructing -> kAlive -> kLeaving -> kDead
//                        ^                                                 |
//                        +----------------- kPausing <---------------------+   (restart, with a growing pause)
//
//  A1 A name is one actor's within its namespace, from registration until the actor is dead or told to leave.
//  A2 Every start has a new incarnation; incarnations of an index never repeat, whichever actor has the index.
//  A3 The directory says kAlive only for the incarnation whose constructor returned, and kDead once and for all.
//     Its word changes for a death only in worker_gone(), which the shell calls after the death is in the log (D2), or
//     at kill(no_restart), failure and job end: those say kDead at once.
//  A4 Deaths count against max_restarts (-1: for ever); a graceful leave, a constructor error and kill(no_restart) end.
//  A5 The references of the arguments are held from start() until the actor is dead.
//  A6 When no handle is left, an actor that runs is asked to leave after what it has accepted; one that does not run
//  yet
//     is dead. Detached actors live without handles.
//  A7 When its job ends an actor is dead, detached ones excepted.
//  A8 An actor that waits for resources may be placed on another node: then it has none here, and a worker of the
//  gateway
//     stands in for it.
//  A9 A stand-in for an actor of another node (Role::kImported) never has resources, and begins again whenever its
//  worker
//     is gone: whether its actor lives is its home's to say, which the next worker hears.
//  A10 A stand-in that was asked to leave when its last handle went, and gets another one before it has left, begins
//     again, too.
//  A11 One that waits for resources at the node that is to host it may be reclaimed as long as it waits: its home looks
//     for room anew. That is no death, and no restart (A4).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/control/actor_registry.h"
#include "runtime/node/instructions.h"
#include "runtime/node/resources.h"

namespace sabir::node {

struct ActorOptions {
  int64_t first_pause_ns = 0;                      // the first restart is at once ...
  int64_t second_pause_ns = 100 * kMillisecondNs;  // ... then pauses double
  int64_t max_pause_ns = 10 * kSecondNs;
  int64_t healthy_ns = 10 * kSecondNs;        // alive for so long: the pauses start again
  uint32_t max_launch_failures = 3;           // in a row: the actor is dead
  int64_t leave_timeout_ns = 10 * kSecondNs;  // of a process whose constructor failed
};

enum class ActorPhase : uint8_t {
  kWaitingArgs,
  kWaitingResources,
  kLaunching,
  kConstructing,
  kAlive,
  kLeaving,
  kPausing,
  kDead,
};
std::string_view actor_phase_name(ActorPhase phase);

class Actors {
 public:
  // `registry` is the persistent part (names, specifications); all must outlive it.
  Actors(ActorOptions options, control::ActorRegistry* registry, const Clock* clock, Instructions* out);

  struct Created {
    shm::ActorIndex actor = 0;
    bool existed = false;
    bool revived = false;  // A10: it needs an entry again, and is started
  };
  // `id` is 16 random bytes by the caller, and makes the call idempotent. With get_if_exists a living actor of that
  // name is the answer. kAlreadyExists: the name is taken. kExhausted: kMaxActors. kInvalid: get_if_exists or detached
  // without a name, max_restarts below -1.
  Result<Created> create(control::ActorSpec spec, const ResourceSet& resources);
  // The object entry of its handles (shm::EntryWord::kIsActor). Once, after a create that made it.
  void bind_entry(shm::ActorIndex actor, uint32_t entry, uint64_t generation);
  // kNotFound: no living actor has it.
  Result<shm::ActorIndex> find(const std::string& name_space, const std::string& name) const;

  // Its arguments are ready. A second start, or one of a dead actor, changes nothing.
  Result<void> start(shm::ActorIndex actor, std::string args, std::vector<shm::EntryRef> refs);
  // By its creator (an argument failed) or by its worker (the constructor raised; of a stand-in: it is dead at its
  // home). `error_value`: Value bytes.
  Result<void> fail(shm::ActorIndex actor, std::string message, std::string error_value);
  // The constructor of this incarnation returned. kInvalid: it is not the current one.
  Result<void> started(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot);
  Result<void> kill(shm::ActorIndex actor, bool no_restart);
  void handles_gone(shm::ActorIndex actor);  // A6
  void end_job(JobNumber job);               // A7

  // A8. False: it does not wait for resources.
  bool place_elsewhere(shm::ActorIndex actor);
  // A11, at its home: its host has said that this incarnation never begins there. True: its worker is to be ended now,
  // and when that is gone it begins again.
  bool reclaim(shm::ActorIndex actor, uint32_t incarnation);
  // A11, at its host: the actor waits for resources, and never gets them; its home ends it. False: it does not wait.
  bool hold_back(shm::ActorIndex actor);
  // Not by its process: what it needs is gone for good.
  void end(shm::ActorIndex actor, const std::string& reason);

  // Its worker said hello.
  void worker_ready(shm::ActorIndex actor, uint32_t incarnation, shm::SlotIndex slot);
  // Its worker said it leaves in order (Session.leave).
  void worker_leaving(shm::SlotIndex slot);
  // Its worker is dead and in the death log. `text` says how, for people: "killed by signal 9".
  void worker_gone(shm::SlotIndex slot, const std::string& text);

  // From the scheduler and the pool.
  void placed(shm::ActorIndex actor, uint64_t gpu_mask);
  void launch_failed(shm::ActorIndex actor, uint32_t incarnation, const Error& error);

  void tick();
  std::optional<int64_t> next_wake_ns() const;

  struct View {
    shm::ActorIndex actor = 0;
    ActorPhase phase = ActorPhase::kWaitingArgs;
    uint32_t incarnation = 0;
    uint32_t restarts = 0;
    std::optional<shm::SlotIndex> slot;
    const control::ActorSpec* spec = nullptr;
    const ResourceSet* resources = nullptr;
    uint32_t entry = 0;
    uint64_t entry_generation = 0;
    const std::string* args = nullptr;
    const std::vector<shm::EntryRef>* refs = nullptr;
    const std::string* death_reason = nullptr;
    const std::string* error_value = nullptr;  // what ended it, if that was a value
    uint64_t gpu_mask = 0;
    bool crashed = false;  // its process died, and that ended it
  };
  // Nothing for an index that is free. Pointers stand until the next event.
  std::optional<View> view(shm::ActorIndex actor) const;
  std::vector<View> views() const;

 private:
  struct Actor {
    shm::ActorIndex index = 0;
    control::ActorSpec spec;
    ResourceSet resources;
    ActorPhase phase = ActorPhase::kWaitingArgs;
    uint32_t incarnation = 0;
    uint32_t restarts = 0;
    uint32_t launch_failures = 0;  // in a row
    uint32_t pauses = 0;           // since it was last healthy
    int64_t alive_since_ns = 0;
    int64_t wake_ns = 0;                // kPausing: when to go on
    std::optional<int64_t> kill_at_ns;  // its process was asked to leave and has no reason to stay
    std::optional<shm::SlotIndex> slot;
    uint64_t gpu_mask = 0;
    uint32_t entry = 0;
    uint64_t entry_generation = 0;
    std::string args;
    std::vector<shm::EntryRef> refs;
    bool holds_args = false;
    bool holds_resources = false;
    bool no_handles = false;
    bool reclaimed = false;  // A11
    bool crashed = false;
    std::string leave_reason;
    std::string death_reason;
    std::string error_value;
  };

  static bool is_stand_in(const Actor& actor);
  Actor* find_actor(shm::ActorIndex index);
  // Null if there is none or it is dead.
  Actor* find_live(shm::ActorIndex index);
  void request_resources(Actor& actor);
  void give_up_resources(Actor& actor);
  void die(Actor& actor, std::string reason, std::string error_value = {});
  void restart_or_die(Actor& actor, const std::string& reason);
  void pause(Actor& actor, int64_t pause_ns);
  int64_t next_pause_ns(Actor& actor) const;
  std::optional<int64_t> due_ns(const Actor& actor) const;
  void kill_process(Actor& actor, shm::DeathReason reason);
  void free_if_over(shm::ActorIndex index);
  void write_word(const Actor& actor, shm::ActorState state);
  View view_of(const Actor& actor) const;

  const ActorOptions options_;
  control::ActorRegistry* const registry_;
  const Clock* const clock_;
  Instructions* const out_;
  std::map<shm::ActorIndex, Actor> actors_;
  std::map<shm::SlotIndex, shm::ActorIndex> by_slot_;
  std::set<shm::ActorIndex> timed_;  // those that wait for a time, and perhaps some that did
  // Indices whose actors are over, oldest first, with the last incarnation (A2).
  std::deque<std::pair<shm::ActorIndex, uint32_t>> free_;
  shm::ActorIndex next_index_ = 0;  // above: never used
};

}  // namespace sabir::node
