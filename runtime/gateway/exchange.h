// Everything that this node has with one peer: calls that go there, calls that come from there, and what both name.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/gateway/exported_class.h"
#include "runtime/gateway/imported_job.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/node_objects.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

class Exchange {
 public:
  // A driver of this job at this node, which is made if there is none. Called by receive(); may wait.
  using OpenJob = std::function<Result<std::shared_ptr<client::Client>>(const rpc::JobDefinition&)>;

  // A job that could not be opened here is tried again after so long.
  static constexpr int64_t kOpenJobPauseNs = kSecondNs;

  // `link`, `clock` and `objects` must outlive it.
  Exchange(PeerLink& link, const Clock& clock, NodeObjects& objects, OpenJob open_job)
      : link_(link), clock_(clock), objects_(objects), open_job_(std::move(open_job)), definitions_(link) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // What the peer said, in order, from one thread. kInvalid: it broke the protocol; its connection is to be closed.
  Result<void> receive(rpc::NodeMessage message);

  // Calls of this class go to the peer from now on, until the node takes the worker's lease and has it leave.
  void export_class(std::unique_ptr<client::Client> worker, ExportedClass::Options options);
  // By the worker's slot in the process table. Unknown ones are ignored.
  void set_width(uint16_t slot, uint32_t calls);
  void kill_actor(const rpc::KillRemoteActor& order);
  // Lets go of exports that are over and have nothing under way, and of what was kept for later calls for too long.
  // From the receiving thread. How many exports are left.
  size_t sweep();
  // Whether sweep() may have something to do, now or soon. From the receiving thread.
  bool has_to_sweep();
  // The job has ended at this node: nothing of it is claimed any more, what is under way is lost, and the peer hears of
  // it. From the receiving thread.
  void end_job(uint32_t number);

  // The connection is over. Everything under way is lost; nothing is received any more.
  void peer_lost(const std::string& why);

 private:
  struct PeerJob {
    rpc::JobDefinition definition;
    std::unique_ptr<ImportedJob> imported;
    std::optional<Error> error;  // why it could not be opened
    int64_t retry_at_ns = 0;
  };

  Result<void> call(rpc::CallMessage call);
  // Of a job that was defined. Null: it cannot be opened, its `error` says why.
  ImportedJob* open(PeerJob& job);
  Result<void> open_actor(rpc::OpenActorMessage message);
  void actor_state(const rpc::ActorStateMessage& message);
  // Until it returns true.
  void any_job(const std::function<bool(ImportedJob&)>& visit);
  void result(rpc::ResultMessage message);
  void resolved(rpc::ResolvedMessage message);
  void refuse(const rpc::CallMessage& call, const Error& error);
  std::vector<std::shared_ptr<ExportedClass>> exports();

  PeerLink& link_;
  const Clock& clock_;
  NodeObjects& objects_;
  const OpenJob open_job_;
  NamedObjects named_;
  KeptThere there_;
  Definitions definitions_;

  // What the peer has defined, by its numbers. The receiving thread's alone.
  std::map<uint32_t, PeerJob> jobs_;
  std::set<uint32_t> ended_jobs_;  // calls of theirs may still come
  std::map<uint32_t, rpc::FunctionInfo> functions_;
  std::map<uint32_t, rpc::ClassDefinition> classes_;

  std::mutex lock_;
  std::vector<std::shared_ptr<ExportedClass>> exports_;
  // By slot, of exports that are not here yet.
  std::map<uint16_t, uint32_t> widths_;
  std::map<uint16_t, std::vector<rpc::KillRemoteActor>> kills_;  // of one life of the slot: the latest
  bool lost_ = false;
};

}  // namespace sabir::gateway
