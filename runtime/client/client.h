// A process's membership in a session: what a sabir_client is. Composes the modules of this folder (core.h) and gives
// them the form that the C ABI needs. Every function from any thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/core.h"
#include "runtime/client/event_queue.h"
#include "runtime/client/functions.h"
#include "runtime/client/launch.h"
#include "runtime/client/notices.h"
#include "runtime/client/objects.h"
#include "runtime/client/waiter.h"

namespace sabir::client {

struct Task;
struct Work;

struct DriverOptions {
  std::string address;
  NodeOptions node;
  rpc::JobConfig job;
  int64_t timeout_ns = 60 * kSecondNs;
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> start_driver(const DriverOptions& options);
  static Result<std::unique_ptr<Client>> start_worker(const std::string& session_path, const std::string& token);
  // On a session whose hello was answered. Tests join in-process nodes that way.
  static Result<std::unique_ptr<Client>> start_with_node(const NodeOptions& options, const rpc::HelloInfo& hello,
                                                         int64_t timeout_ns);
  static Result<std::unique_ptr<Client>> join(std::unique_ptr<rpc::SessionClient> session, bool is_worker);

  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  // Shuts down; handles may still be released afterwards (Anchor).
  ~Client();

  // Blocked calls return CLOSED; waits until they have.
  void shutdown();

  Core& core() const { return *core_; }
  bool forked() const { return core_->forked(); }
  // kForked, kClosed, kDisconnected, or nothing.
  Result<void> check() const;
  const std::shared_ptr<EventQueue>& notice_queue() const { return notice_queue_; }

  Result<void> get(std::span<Future* const> refs, int64_t timeout_ns, Waiter* waiter);
  // The waits in slices are over: the CPU that they lent is taken back (L4).
  void end_slices(Waiter& waiter);
  // ready[i] = 1 for at most num_ready.
  Result<size_t> wait(std::span<Future* const> refs, size_t num_ready, int64_t timeout_ns, Waiter* waiter,
                      uint8_t* ready);
  // A count on the same reference for this client: the one given, if it is this client's already. kInvalid: it belongs
  // to another session or job.
  Result<Future*> adopt(Future* ref);
  // Takes in what has arrived. What is on another node is fetched, and ready when it is here.
  bool is_ready(Future* ref);
  Result<void> view(Future* ref, sabir_view& out);
  void watch(Future* ref, std::shared_ptr<EventQueue> queue, uint64_t tag);

  Result<size_t> next_events(EventQueue& queue, std::span<QueuedEvent> out, int64_t timeout_ns, Waiter* waiter);
  // A call to execute; null: the node asks this worker to leave.
  Result<Work*> next_work(int64_t timeout_ns, Waiter* waiter);

  Result<Task*> prepare_task(const Function& function, const sabir_task_options& options);
  Result<Future*> create_actor(const Function& actor_class, const sabir_actor_options& options,
                               std::span<const sabir_arg> args);
  Result<Future*> find_actor(const std::string& name, const std::string& name_space);
  // Asks the node about a handle that came inside a value, once.
  Result<std::shared_ptr<const rpc::ActorInfo>> describe_actor(Future* actor);
  Result<void> kill_actor(Future* actor, bool no_restart);

  // --- For the gateway

  Result<Future*> create_actor(const rpc::ActorSpec& spec, std::span<const sabir_arg> args);
  // One that is there already: ActorRole::kKnown, kImported.
  Result<Future*> open_actor(const rpc::ActorSpec& spec);
  // kEventActorChanged with this tag, now and whenever actor_word() may be another, until it is dead or
  // unwatch_actor().
  void watch_actor(Future* actor, std::shared_ptr<EventQueue> queue, uint64_t tag);
  void unwatch_actor(Future* actor, const EventQueue* queue, uint64_t tag);
  shm::ActorWord actor_word(const Future* actor) const;
  // Why it is dead: in short, and as the error value that ended it.
  std::string death_reason(const Future* actor) const;
  Result<rpc::ActorDescription> describe_death(Future* actor);

 private:
  explicit Client(std::unique_ptr<Core> core) : core_(std::move(core)) {}
  Result<void> open();
  Result<Future*> adopt_actor(rpc::ActorInfo info);
  static void learn(Future* actor, rpc::ActorInfo info);
  Error over() const;

  std::unique_ptr<Core> core_;
  std::shared_ptr<EventQueue> notice_queue_;
  std::unique_ptr<Notices> notices_;
  int node_pid_ = -1;  // of a node that this client started
  UniqueFd node_words_;
  std::mutex shutdown_lock_;
  bool shut_down_ = false;
};

Result<Scheduling> convert_scheduling(const sabir_scheduling* scheduling);  // NULL: the default
// True: "in no group", which is the default where nothing is captured, and what it becomes.
bool stay_outside(Scheduling& scheduling);
Result<LabelConditions> convert_labels(const sabir_label_selector& selector);  // sorted
Result<std::vector<rpc::ResourceAmount>> convert_resources(const sabir_resource* resources, size_t count);
std::string to_string(sabir_string text);

}  // namespace sabir::client
