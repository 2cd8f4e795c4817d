// What sabird does about deaths (D1-D5), rings (O4) and leases, and nothing else: raises submitters, workers and
// actors, publishes each death, is the heir of each dead submitter, and raises a new process in its place once
// everybody has acknowledged. Peers are processes (fork) or, for TSan, threads of this one.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/testing/fault_plan.h"
#include "runtime/shm/testing/reference_peer.h"

namespace sabir::shm::testing {

enum class Role : uint8_t { kSubmitter, kWorker, kActor };

struct NodeOptions {
  uint32_t submitters = 1;
  uint32_t workers = 2;
  uint32_t actors = 1;
  uint64_t seed = 1;
  bool threads = false;
  bool watching = true;
  uint32_t in_flight = 24;

  // The first process of this role dies by the plan, again and again, `kills` times.
  Role victim = Role::kWorker;
  FaultStep step = FaultStep::kNone;
  uint32_t max_countdown = 40;
  uint32_t kills = 0;
  uint32_t stall_one_in = 0;  // as FaultPlan's, of every process; the node stalls, too
  // Workers and actors are killed from outside as well while there are kills to come.
  bool kill_claimers_too = false;

  int64_t run_ns = 200 * kMillisecondNs;  // at least; and until all kills are done
  int64_t limit_ns = 15 * kSecondNs;
};

class ReferenceNode {
 public:
  explicit ReferenceNode(const NodeOptions& options);
  ~ReferenceNode();

  // Until all kills are done and all peers have left in order. Empty, or what is wrong.
  std::string run();

  uint32_t deaths() const { return death_total_; }
  const Scoreboard& board() const { return *board_; }

 private:
  enum class State : uint8_t { kEmpty, kLive, kDead, kSettled };
  struct Member {
    Role role = Role::kSubmitter;
    SlotIndex slot = 0;
    ActorIndex actor = 0;
    State state = State::kEmpty;
    uint32_t incarnation = 0;
    bool victim = false;
    int pid = -1;
    std::thread thread;
    std::atomic<bool> thread_done{false};
    std::vector<uint32_t> cell_chunks;
    std::vector<uint32_t> block_chunks;
    std::unique_ptr<RingConsumer> ring;
    int64_t holds = 0;
    uint64_t death_position = 0;
    int64_t birth_ns = 0;
  };

  void raise(Member& member);
  void start(Member& member, const PeerConfig& config, FaultPlan plan);
  void live(const NodeView& node, const CallsView& calls, Role role, const PeerConfig& config);
  // The wait status of a member that is gone.
  std::optional<int> gone(Member& member);
  void bury(Member& member, int wait_status);
  void inherit(Member& member);
  void settle(Member& member);
  void take_back(Member& member);
  void read_ring(Member& member, bool to_the_end);
  void ring_everybody();
  void kill_somebody();
  // One look at everything.
  void look();
  std::string check_all_free();
  void fail(const std::string& what);

  NodeOptions options_;
  SteadyClock clock_;
  std::mt19937_64 random_;
  std::unique_ptr<Scoreboard> board_;
  SessionSegments segments_;
  UniqueFd event_fd_;
  LeaseWriter leases_;
  DeathAcks acks_;
  std::vector<std::unique_ptr<Member>> members_;
  std::set<uint32_t> free_cell_chunks_;
  std::set<uint32_t> free_block_chunks_;
  uint32_t cell_chunk_total_ = 0;
  uint32_t block_chunk_total_ = 0;
  uint32_t death_total_ = 0;
  uint32_t kills_done_ = 0;
  bool leaving_ = false;
  bool submitter_was_killed_ = false;
  std::string failure_;
};

}  // namespace sabir::shm::testing
