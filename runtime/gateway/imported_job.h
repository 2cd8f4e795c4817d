// The target's side: a driver of this node that submits another node's calls of one job, and sends back what they
// return.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/client/functions.h"
#include "runtime/client/relay.h"
#include "runtime/client/waiter.h"
#include "runtime/gateway/imported_actors.h"
#include "runtime/gateway/incoming.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/node_objects.h"
#include "runtime/gateway/outgoing.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

class ImportedJob {
 public:
  // `client` is a driver of the job here, which may serve several peers. The references must outlive it.
  ImportedJob(std::shared_ptr<client::Client> client, PeerLink& link, NamedObjects& named, NodeObjects& objects);
  // Nobody hears of the calls that still run.
  ~ImportedJob();
  ImportedJob(const ImportedJob&) = delete;
  ImportedJob& operator=(const ImportedJob&) = delete;

  // --- From the link, in the order of the messages.

  // `mentions`: of the call. `what`: its class.
  void call(rpc::CallMessage call, MentionsPtr mentions, const rpc::FunctionInfo& function,
            const rpc::ClassDefinition& what);
  Incoming& incoming() { return *incoming_; }
  ImportedActors& actors() { return *actors_; }
  void peer_lost(const std::string& why);

 private:
  struct TaskKey {
    uint32_t function = 0;
    uint32_t class_number = 0;
    uint16_t num_returns = 0;
    auto operator<=>(const TaskKey&) const = default;
  };
  struct Running {
    uint64_t number = 0;
    std::vector<client::Future*> results;  // a count on each
  };

  Result<client::Task*> task_for(const rpc::CallMessage& call, const rpc::FunctionInfo& function,
                                 const rpc::ClassDefinition& what);
  void submit(client::Task* task, const rpc::CallMessage& call, const std::vector<client::Future*>& args);
  void submitted(uint64_t number, std::vector<client::Future*> results);
  void refuse(uint64_t number, const Error& error);
  void watch();
  void answer(const Running& call);
  Result<void> write_results(const Running& call, rpc::ResultMessage& message);

  std::shared_ptr<client::Client> client_;
  client::Relay relay_;
  PeerLink& link_;
  NamedObjects& named_;
  std::shared_ptr<client::EventQueue> events_;
  Outgoing outgoing_;
  std::shared_ptr<Incoming> incoming_;
  std::unique_ptr<ImportedActors> actors_;
  std::map<TaskKey, client::Task*> tasks_;  // the link's thread's alone

  std::mutex lock_;
  // By the last of its results, whose READY comes after those of the others.
  std::map<client::Future*, Running> running_;
  bool over_ = false;
  client::Waiter waiter_;
  std::thread watcher_;
};

}  // namespace sabir::gateway
