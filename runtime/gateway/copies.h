// Objects of other nodes that this node has or is getting: for all peers and clients of a gateway.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/client/client.h"
#include "runtime/gateway/admission.h"
#include "runtime/gateway/chunk_plan.h"
#include "runtime/gateway/landing.h"
#include "runtime/gateway/peer_link.h"
#include "runtime/gateway/sends.h"
#include "runtime/gateway/task_thread.h"

namespace sabir::gateway {

// An object comes once, whoever of this node wants it, in chunks, from the nodes that its namer refers to (spread.h);
// what is here of it is passed on while the rest is still coming. What fails at one source is asked of another, and of
// the namer in the end; only the namer's own failure is the fetch's. Copies stay a while for who names them next.
//
// Any thread, except where it says otherwise. Callbacks come from threads of links, from its own, or at once; none may
// wait.
class Copies {
 public:
  using LinkPtr = std::shared_ptr<PeerLink>;
  // The link to another member, as it is now; null: there is none. `then` is called once, from any thread.
  using FindLink = std::function<void(const rpc::NodeKeyBytes&, std::function<void(LinkPtr)> then)>;
  // A ready reference of the client that wants it, with a count.
  using Done = std::function<void(Result<client::Future*>)>;

  // Copies that stay for the next call that names them: at most so many and so large together.
  static constexpr size_t kMaxKept = 64;
  static constexpr uint64_t kMaxKeptBytes = 256 << 20;
  static constexpr int64_t kKeptNs = 5 * kSecondNs;
  // Smaller objects come from who named them: it would take as long to ask where else they are.
  static constexpr uint64_t kLocateFromBytes = 2 * ChunkPlan::kChunkBytes;
  // How often it is asked where an object is, before all of the rest comes from its namer.
  static constexpr size_t kMaxLocates = 8;
  // Of one object: who wait for bytes that are not here yet.
  static constexpr size_t kMaxRanges = 1024;
  static constexpr size_t kMaxSources = 4;
  // On its way into the store, of its size: the rest is for what is there already.
  static constexpr uint64_t kStoreShare = 4;

  struct Wanted {
    rpc::ObjectId id;
    uint64_t size_bytes = 0;
    client::ValueHeader header;
    client::Client* client = nullptr;
    LinkPtr namer;  // who named it keeps it until the fetch has ended
    const void* owner = nullptr;
  };

  Copies(const Clock& clock, Sends& sends, FindLink find_link)
      : clock_(clock), sends_(sends), find_link_(std::move(find_link)) {}
  // All owners have stopped.
  ~Copies();
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  // Calls `done` once, perhaps at once.
  void fetch(const Wanted& wanted, Done done);
  // What the owner still waits for ends as disconnected: before this returns, unless it is ending already.
  void stop(const void* owner);
  // The client is about to go: waits until nothing is written to its memory. Its owners have stopped.
  void leave(const client::Client* client);
  // The connection is over.
  void lost(const PeerLink* link);

  // Room in the store: see admission.h. `begin`: true, then leave_store() is owed; false: the owner stops.
  void enter_store(const client::Client& client, const void* owner, uint64_t size_bytes, Admission::Priority priority,
                   std::function<void(bool)> begin);
  void leave_store(uint64_t size_bytes, Admission::Priority priority);

  // Lets go of what is kept: the store is full.
  void collect();
  // ... of what nobody has named for a while.
  void sweep();
  bool has_to_sweep();

  // --- From peers

  void located(const PeerLink& from, const rpc::LocatedMessage& message);
  // Sends what was asked for, as soon as it is here; refuses what is not coming.
  void serve(const LinkPtr& to, const rpc::PullMessage& message);

 private:
  using Key = std::pair<rpc::ObjectId, std::string>;  // and the job
  struct Waiter {
    const void* owner = nullptr;
    client::Client* client = nullptr;
    LinkPtr namer;
    Done done;
  };
  struct Asked {
    ChunkPlan::Ask ask;
    LinkPtr link;
    uint64_t transfer = 0;  // 0: not yet
  };
  struct Source {
    LinkPtr link;
    bool dropped = false;
  };
  struct Range {
    LinkPtr to;
    rpc::PullMessage message;
  };
  enum class Stage : uint8_t {
    kRoom,      // waits for room in the store
    kComing,    // its chunks come
    kStopping,  // ... and are not wanted any more: goes, or begins anew, when the last has ended
    kSealing,
    kHere
  };
  struct Copy {
    Key key;
    uint64_t size_bytes = 0;
    client::ValueHeader header;
    Stage stage = Stage::kRoom;
    std::vector<Waiter> waiters;
    // From kRoom to kSealing:
    client::Client* client = nullptr;  // whose memory it comes to
    bool building = false;             // without the lock
    int64_t waited_ns = 0;             // for room
    std::shared_ptr<Landing> landing;
    std::optional<ChunkPlan> plan;
    std::vector<Source> sources;  // by the plan's numbers
    LinkPtr namer;
    bool locating = false;
    size_t finding = 0;  // links to sources
    size_t locates = 0;
    uint64_t life = 0;  // answers for an earlier one are dropped
    uint64_t next_ask = 0;
    std::map<uint64_t, Asked> asked;
    std::vector<Range> ranges;
    // kHere: a count of each client that has it.
    std::map<client::Client*, client::Future*> holders;
    int64_t used_ns = 0;
    std::vector<LinkPtr> told;  // who know that it is here or coming
  };
  using CopyPtr = std::shared_ptr<Copy>;
  using Actions = std::vector<std::function<void()>>;  // to do without the lock, in order

  // With the lock; what they add to `then` is done without it.
  void drop_waiters(Copy& copy, const std::function<bool(const Waiter&)>& which, const Error& why, Actions& then);
  void begin(const CopyPtr& copy, Actions& then);
  void start(const CopyPtr& copy, Actions& then);
  void stop_coming(const CopyPtr& copy, Actions& then);
  void stopped(const CopyPtr& copy, Actions& then);
  void ask_more(const CopyPtr& copy, Actions& then);
  void locate(const CopyPtr& copy, Actions& then);
  void locate_if_alone(const CopyPtr& copy, Actions& then);
  void drop_source(const CopyPtr& copy, const PeerLink* source, Actions& then);
  static void add_source(Copy& copy, const LinkPtr& source);
  void drop_namer(const CopyPtr& copy, const PeerLink* namer, const Error& why, Actions& then);
  void serve_ranges(Copy& copy);
  static void refuse_ranges(Copy& copy, Actions& then);
  void send(const Copy& copy, const LinkPtr& to, const rpc::PullMessage& message);
  Result<client::Future*> for_client(Copy& copy, client::Client& client);
  void forget(const CopyPtr& copy, Actions& then);
  static void tell(const Copy& copy, rpc::CopyState state, Actions& then);
  void keep_few(Actions& then);

  // Without it.
  static void run(const Actions& then);
  void build(const CopyPtr& copy, client::Client& client, int64_t wait_ns);
  void build_again(const CopyPtr& copy);
  void ask(const CopyPtr& copy, uint64_t number, const LinkPtr& link, std::span<uint8_t> destination, uint64_t offset);
  void arrived(const CopyPtr& copy, uint64_t number, const Result<void>& result);
  void found(const CopyPtr& copy, uint64_t life, const rpc::NodeKeyBytes& node, const LinkPtr& link);
  void seal(const CopyPtr& copy);
  void take_turns();

  const Clock& clock_;
  Sends& sends_;
  const FindLink find_link_;

  std::mutex lock_;  // guards these
  std::condition_variable changed_;
  std::map<Key, CopyPtr> copies_;
  // Whose room may still be read, until the client leaves.
  std::map<const client::Client*, std::vector<std::weak_ptr<Landing>>> abandoned_;
  std::optional<Admission> admission_;

  TaskThread room_;   // waits for room in the store, in turns
  TaskThread begin_;  // begins what was admitted
};

}  // namespace sabir::gateway
