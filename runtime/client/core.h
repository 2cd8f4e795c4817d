// Everything of a client, in one place. A call goes through the modules in this order:
//
//   Submitter   makes the record of a call, or parks it until its arguments are ready        (submit.h)
//   Dispatcher  gives it a cell and puts it into a ring (Q3, Q4) or an actor's inbox (Q7)    (dispatch.h)
//   Executor    in a worker: claims it, and finishes it                                      (execute.h)
//   Completer   takes it off the reply stack and settles its futures                         (complete.h)
//   Repairer    does the same for what dead processes had (R1)                               (repair.h)
//   Lineage     keeps calls whose results are on other nodes, and runs them again (O11)      (lineage.h)
//   WaitRoom    is where threads wait for futures, events and work (P1)                      (wait_room.h)
//   Progress    does what nobody waits for                                                   (progress.h)
//
// One lock guards all private state: it is held for short, never while anything outside the core runs (P3), and never
// while this process waits for another one, but for room in its ring to sabird. Functions that take a Lock& may release
// it for a while; the others are called with it, or say that they need none.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/client/anchor.h"
#include "runtime/client/lendings.h"
#include "runtime/client/membership.h"
#include "runtime/client/neighbours.h"
#include "runtime/client/ring_writer.h"
#include "runtime/shm/death_log.h"

namespace sabir::client {

class ActorPeers;
class Classes;
class Completer;
class Dispatcher;
class Executor;
class Functions;
class Elsewhere;
class Groups;
class Lineage;
class Objects;
class Progress;
class Refs;
class Repairer;
class Settler;
class Submitter;
class WaitRoom;

using Lock = std::unique_lock<std::mutex>;

class Core final : public Orphanage {
 public:
  Core(std::unique_ptr<Membership> membership, UniqueFd objects_fd, Anchor* anchor);
  ~Core() override;

  // Takes in all that has happened since the last time: deaths, replies, resolved references, room in rings, dead
  // handles. Never waits.
  void pump();
  // Releases the lock, then wakes those for whom something was published under it. Every public operation ends so.
  void unlock(Lock& lock);
  // What pump() found but could not do without waiting (lending, storing, asking sabird). Ends unlocked.
  // Whoever may block calls it instead of unlock(). True: things have changed, do not sleep on what was seen before.
  bool unlock_and_help(Lock& lock);
  // Why no call can succeed any more: kClosed, kDisconnected; or nothing.
  Result<void> check_open() const;
  // kInvalid: a reference of an earlier client of this process, whose session is over.
  Result<void> check_own(const Future* ref) const;

  // Needs no lock: the death log may be longer than this process has read it (a hint; pump() looks itself).
  bool deaths_moved() const {
    return self.node().header().death_count.load(std::memory_order_seq_cst) !=
           deaths_read.load(std::memory_order_relaxed);
  }

  // Work that is going on without anybody waiting for it: the progress thread takes part while this is not 0.
  void add_interest(int64_t change);
  int64_t interest() const { return interest_.load(std::memory_order_seq_cst); }

  // The process this client was made in has forked: do nothing at all (P7).
  bool forked() const { return anchor->forked(); }

  // Orphanage: without a lock, when the client is gone.
  void bury(Future* dead) override;

  const std::unique_ptr<Membership> membership;
  const Membership& self;
  Anchor* const anchor;
  std::mutex lock;
  Neighbours neighbours;
  RingWriter ring;
  Lendings lendings;
  shm::DeathLogReader deaths;
  std::atomic<uint64_t> deaths_read;  // its position, for those who spin without the lock
  std::atomic<bool> closing{false};
  std::atomic<bool> disconnected{false};

  std::unique_ptr<Refs> refs;
  std::unique_ptr<Settler> settler;
  std::unique_ptr<WaitRoom> waiting;
  std::unique_ptr<Classes> classes;
  std::unique_ptr<ActorPeers> actors;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Lineage> lineage;
  std::unique_ptr<Completer> completer;
  std::unique_ptr<Repairer> repairer;
  std::unique_ptr<Objects> objects;
  std::unique_ptr<Functions> functions;
  std::unique_ptr<Groups> groups;
  std::unique_ptr<Elsewhere> elsewhere;
  std::unique_ptr<Submitter> submitter;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Progress> progress;

  // Processes to be rung once the lock is released (Dispatcher, Completer).
  std::vector<shm::SlotIndex> to_ring;

 private:
  bool needs_help() const;
  // False: it could not be helped now.
  bool help(Lock& lock);

  std::atomic<int64_t> interest_{0};
};

}  // namespace sabir::client
