// The origin's side: a worker of this node that claims calls of one scheduling class, or of one actor, and has them run
// on another node.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/client/relay.h"
#include "runtime/client/waiter.h"
#include "runtime/gateway/incoming.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/node_objects.h"
#include "runtime/gateway/outgoing.h"
#include "runtime/gateway/peer_link.h"
#include "runtime/gateway/remote_results.h"
#include "runtime/gateway/stand_in.h"

namespace sabir::gateway {

// What has been defined to a peer already; one for all exports to it.
class Definitions {
 public:
  explicit Definitions(PeerLink& link) : link_(link) {}

  // Posted once, before the first use. kUnsupported: it is too large.
  Result<void> job(uint32_t number, const std::string& id, const rpc::JobConfig& config);
  Result<void> function(client::Client& client, uint32_t number);
  uint32_t class_of(const std::vector<rpc::ResourceAmount>& resources, const Scheduling& scheduling);
  // Unique over all connections: a late result of an earlier one fits no call of this one.
  static uint64_t next_call();

 private:
  PeerLink& link_;
  std::mutex lock_;
  std::map<uint32_t, bool> jobs_;
  std::map<uint32_t, bool> functions_;
  std::vector<rpc::ClassDefinition> classes_;
};

class ExportedClass {
 public:
  struct Options {
    uint32_t width = 1;  // calls under way at a time
    std::vector<rpc::ResourceAmount> resources;
    Scheduling scheduling;  // if it is a placement group
  };

  // `client` is a worker of the job. Everything given by reference must outlive it.
  ExportedClass(std::unique_ptr<client::Client> client, PeerLink& link, NamedObjects& named, KeptThere& there,
                NodeObjects& objects, Definitions& definitions, Options options);
  // Leaves the session: what is under way counts as lost.
  ~ExportedClass();
  ExportedClass(const ExportedClass&) = delete;
  ExportedClass& operator=(const ExportedClass&) = delete;

  void set_width(uint32_t calls) { relay_.set_width(calls); }

  // --- From the link, in the order of the messages. False: no call of this one.
  bool result(rpc::ResultMessage& message, const MentionsPtr& mentions);
  Incoming& incoming() { return *incoming_; }
  // Null: it is a class's.
  StandIn* stand_in() { return stand_in_.get(); }
  void actor_state(const rpc::ActorStateMessage& message);
  void kill_actor(bool no_restart, bool abandon);
  // All that is under way is lost, and nothing is claimed any more.
  void peer_lost(const std::string& why);

  uint32_t job() const { return job_; }
  rpc::ProcessKey worker() const { return client_->core().self.welcome().process; }
  uint16_t slot() const { return client_->core().self.slot(); }
  // Calls are under way, or one side has yet to hear from the other of what was named or promised in one that is over:
  // that lives with this worker.
  bool is_needed();
  // An actor's may be at rest for long: it says when it is over.
  bool has_to_sweep() { return stand_in_ == nullptr || is_over() || incoming_->has_to_sweep(); }
  // The node has asked this worker to leave, or the session is over: nothing is claimed any more.
  bool is_over() const { return over_.load(std::memory_order_acquire); }

 private:
  // Arguments that the peer has itself, by their places, and what keeps them there.
  struct Own {
    rpc::ObjectId id;
    MentionsPtr kept;
  };
  using There = std::map<size_t, Own>;
  struct UnderWay {
    client::Work* work = nullptr;
    There there;
  };
  // Its large values stay where they are.
  struct Values {
    std::vector<std::optional<rpc::WireValue>> staying;
    std::vector<rpc::WireValue> coming;  // the others, in order
    MentionsPtr mentions;                // if any stays
  };

  void claim_calls();
  void watch_events();
  // Sends it, when its arguments are here or at the peer.
  void take_on(client::Work* work);
  // Whether they are, or it is parked, or it has failed: only then is it still there.
  bool gather_args(client::Work* work, There& there);
  void park(client::Work* work, const std::vector<client::Future*>& missing);
  void argument_came(client::Work* work);
  void send(client::Work* work, There there);
  Result<std::vector<rpc::WireArg>> write_args(const client::Work& work, const There& there);
  // Of a message that was not posted.
  void take_back(const std::vector<rpc::WireArg>& args);
  void create_actor(client::Work* work);
  Values sort(rpc::ResultMessage& message, const MentionsPtr& mentions) const;
  void end_with(client::Work* work, std::vector<client::Future*> came, const Values& values);
  // It did not come back. An actor's calls stay claimed: they are lost with this worker, and repaired as after a death.
  void lose(client::Work* work, const std::string& why);
  void stop_claiming();
  void fail(client::Work* work, const Error& error);

  std::unique_ptr<client::Client> client_;
  client::Relay relay_;
  PeerLink& link_;
  NamedObjects& named_;
  KeptThere& there_;
  NodeObjects& objects_;
  Definitions& definitions_;
  const Options options_;
  const uint32_t job_;
  uint32_t class_number_ = 0;
  std::optional<Error> undefined_;              // why no call of the job can be sent
  std::shared_ptr<client::EventQueue> events_;  // what was promised has its value; an argument has come
  Outgoing outgoing_;
  std::shared_ptr<Incoming> incoming_;
  std::unique_ptr<RemoteResults> results_;
  std::unique_ptr<StandIn> stand_in_;

  std::mutex lock_;
  std::map<uint64_t, UnderWay> under_way_;
  std::map<client::Work*, size_t> parked_;  // until so many arguments have come
  std::atomic<bool> over_{false};
  std::atomic<bool> lost_{false};
  client::Waiter claim_waiter_;
  client::Waiter event_waiter_;
  std::thread claimer_;
  std::thread event_watcher_;
};

}  // namespace sabir::gateway
