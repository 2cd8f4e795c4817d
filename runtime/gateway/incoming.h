// Values of a peer on their way into one client: small ones are made anew, large ones pulled into this node's store.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/client/relay.h"
#include "runtime/gateway/mentions.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

// read() and resolve() from one thread at a time, in the order of the messages; what they lead to may come from any.
class Incoming : public std::enable_shared_from_this<Incoming> {
 public:
  // Objects that were pulled stay for the next call that names them: at most so many and so large together.
  static constexpr size_t kMaxKept = 64;
  static constexpr uint64_t kMaxKeptBytes = 256 << 20;
  static constexpr int64_t kKeptNs = 5 * kSecondNs;

  // A ready reference for each value, with a count.
  using Done = std::function<void(Result<std::vector<client::Future*>>)>;

  Incoming(client::Client& client, PeerLink& link) : client_(client), relay_(client), link_(link) {}
  ~Incoming();

  // `mentions` go when all is made, and the homes of actors know of this node; `done` is called once: at once, if
  // nothing is to be pulled.
  void read(std::vector<rpc::WireValue> values, MentionsPtr mentions, Done done);
  bool has_promise(rpc::ObjectId id);
  // A promise is kept.
  void resolve(rpc::ObjectId id, rpc::WireValue value, MentionsPtr mentions);

  // Lets go of what is kept for later calls.
  void collect();
  // ... of what no call has named for a while, or of all if the store is full.
  void sweep();
  // The peer is gone: its promises break. Transfers end by themselves.
  void peer_lost(const std::string& why);
  // Waits until everything that read() began has ended; transfers are cancelled. No read() or resolve() after that.
  void stop();
  // Something is under way, or promised.
  bool is_needed();
  // Something is kept for later calls, or may be soon.
  bool has_to_sweep();

 private:
  struct Batch;
  struct Pull;
  using PullPtr = std::shared_ptr<Pull>;

  void promise_refs(const rpc::WireValue& value, Batch& batch);
  void need(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch);
  void begin(const PullPtr& pull, int64_t wait_ns);
  void transfer(const PullPtr& pull, void* destination);
  void arrived(const PullPtr& pull, Result<void> result);
  void settle(const PullPtr& pull, Result<client::Future*> object);
  void complete(const std::shared_ptr<Batch>& batch);
  void finish(const std::shared_ptr<Batch>& batch);
  // `task` runs on a thread of its own, which may wait; at once, and with true, if this ends.
  void wait_for_room(std::function<void(bool stopped)> task);
  void work_for_room();
  void release_opened();

  Result<std::vector<client::Future*>> make_all(const Batch& batch);
  Result<client::Future*> make(const rpc::WireValue& value, const Batch& batch);
  Result<client::Future*> make_ref(const rpc::WireRef& ref, const Batch& batch);
  Result<client::Future*> make_handle(const rpc::WireRef& ref, const Batch& batch);

  client::Client& client_;
  client::Relay relay_;
  PeerLink& link_;

  std::mutex lock_;
  std::map<rpc::ObjectId, PullPtr> pulls_;  // under way
  struct Kept {
    rpc::ObjectId id;
    client::Future* object = nullptr;  // a count
    uint64_t size_bytes = 0;
    int64_t used_ns = 0;
  };
  std::list<Kept> kept_;  // newest first
  uint64_t kept_bytes_ = 0;
  std::map<rpc::ObjectId, client::Future*> promises_;  // a count on each
  // Actors whose home has not said yet that it knows of this node's handles: until then the peer keeps its own.
  std::vector<std::pair<client::Future*, MentionsPtr>> opening_;  // a count on each
  // What found no room at once: a thread of its own waits for it.
  std::deque<std::function<void(bool)>> waiting_;
  std::condition_variable waiting_changed_;
  std::thread room_thread_;
  bool stop_ = false;
  size_t batches_ = 0;
  std::condition_variable ended_;
};

}  // namespace sabir::gateway
