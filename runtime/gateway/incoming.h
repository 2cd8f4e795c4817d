// Values of a peer on their way into one client: small ones are made anew, large ones pulled into this node's store
// (copies.h), but for those with references in them, which are put together here.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/client/relay.h"
#include "runtime/gateway/copies.h"
#include "runtime/gateway/mentions.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

// read() and resolve() from one thread at a time, in the order of the messages; what they lead to may come from any.
class Incoming : public std::enable_shared_from_this<Incoming> {
 public:
  // A ready reference for each value, with a count.
  using Done = std::function<void(Result<std::vector<client::Future*>>)>;

  // `named`: what this node has named to the peer, which may pass it back.
  Incoming(client::Client& client, PeerLink& link, NamedObjects& named, Copies& copies)
      : client_(client), relay_(client), link_(link), named_(named), copies_(copies) {}
  ~Incoming();

  // `mentions` go when all is made, and the homes of actors know of this node; `done` is called once: at once, if
  // nothing is to be pulled.
  void read(std::vector<rpc::WireValue> values, MentionsPtr mentions, Admission::Priority priority, Done done);
  bool has_promise(rpc::ObjectId id);
  // A promise is kept.
  void resolve(rpc::ObjectId id, rpc::WireValue value, MentionsPtr mentions);

  // Lets go of what is over; of what is kept for later calls if the store is full.
  void sweep();
  // The peer is gone: its promises break. Transfers end by themselves.
  void peer_lost(const std::string& why);
  // Waits until everything that read() began has ended; transfers are cancelled. No read() or resolve() after that.
  void stop();
  // Something is under way, or promised.
  bool is_needed();
  // Something is under way, or may be over soon.
  bool has_to_sweep();

 private:
  struct Batch;
  struct Pull;
  using PullPtr = std::shared_ptr<Pull>;

  void promise_refs(const rpc::WireValue& value, Batch& batch);
  void need_all(const std::shared_ptr<Batch>& batch, bool admitted);
  void need(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch, bool is_whole);
  // Only an argument as a whole may be one.
  void take_own(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch, bool is_argument);
  void fetch(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch);
  void pull(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch);
  void arrived(const PullPtr& pull, const Result<void>& result);
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
  NamedObjects& named_;
  Copies& copies_;

  std::mutex lock_;
  std::map<rpc::ObjectId, PullPtr> pulls_;             // under way, of those with references in them
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
