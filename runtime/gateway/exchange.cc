#include "runtime/gateway/exchange.h"

#include <algorithm>

#include "runtime/base/overloaded.h"

namespace sabir::gateway {
namespace {

// A peer that defines without end pays with its connection.
constexpr size_t kMaxDefinitions = 1 << 20;
// One to kill the actor, one to let go of it; the last one counts.
constexpr size_t kMaxKeptKills = 4;

}  // namespace

Exchange::~Exchange() { peer_lost("the gateway ends"); }

Result<void> Exchange::receive(rpc::NodeMessage message) {
  if (jobs_.size() + functions_.size() + classes_.size() > kMaxDefinitions) {
    return invalid_error("too many definitions");
  }
  return std::visit(Overloaded{[&](rpc::JobDefinition& job) -> Result<void> {
                                 uint32_t number = job.number;
                                 jobs_[number].definition = std::move(job);
                                 return {};
                               },
                               [&](rpc::FunctionDefinition& function) -> Result<void> {
                                 functions_.insert_or_assign(function.number, std::move(function.function));
                                 return {};
                               },
                               [&](rpc::ClassDefinition& definition) -> Result<void> {
                                 classes_.insert_or_assign(definition.number, definition);
                                 return {};
                               },
                               [&](rpc::CallMessage& call) { return this->call(std::move(call)); },
                               [&](rpc::ResultMessage& message) -> Result<void> {
                                 result(std::move(message));
                                 return {};
                               },
                               [&](rpc::ResolvedMessage& message) -> Result<void> {
                                 resolved(std::move(message));
                                 return {};
                               },
                               [&](const rpc::ReleasedMessage& released) -> Result<void> {
                                 for (rpc::ObjectId id : released.ids) {
                                   named_.release(id);
                                 }
                                 return {};
                               },
                               [&](const rpc::JobOverMessage& over) -> Result<void> {
                                 jobs_.erase(over.job);
                                 ended_jobs_.insert(over.job);
                                 return {};
                               },
                               [&](const rpc::PullMessage& message) -> Result<void> {
                                 objects_.pull(link_, named_, message);
                                 return {};
                               },
                               [&](const rpc::LocateMessage& message) -> Result<void> {
                                 objects_.locate(link_, named_, message);
                                 return {};
                               },
                               [&](const rpc::LocatedMessage& message) -> Result<void> {
                                 objects_.copies().located(link_, message);
                                 return {};
                               },
                               [&](const rpc::CopyStateMessage& message) -> Result<void> {
                                 objects_.copy_state(link_, message);
                                 return {};
                               },
                               [&](rpc::OpenActorMessage& message) { return open_actor(std::move(message)); },
                               [&](const rpc::ActorStateMessage& message) -> Result<void> {
                                 actor_state(message);
                                 return {};
                               },
                               [&](const rpc::CloseActorMessage& message) -> Result<void> {
                                 any_job([&](ImportedJob& job) { return job.actors().close(message); });
                                 return {};
                               },
                               [&](const rpc::KillActorMessage& message) -> Result<void> {
                                 any_job([&](ImportedJob& job) { return job.actors().kill(message); });
                                 return {};
                               },
                               [&](const rpc::BetweenMessage&) -> Result<void> {
                                 return {};  // the node managers', which have it already (Peer)
                               }},
                    message);
}

Result<void> Exchange::call(rpc::CallMessage call) {
  MentionsPtr mentions = mentions_in(link_, call.args);
  if (ended_jobs_.contains(call.job)) {
    refuse(call, closed_error("the job has ended"));
    return {};
  }
  auto job = jobs_.find(call.job);
  auto function = functions_.find(call.function);
  auto resources = classes_.find(call.class_number);
  if (job == jobs_.end() || function == functions_.end() || (call.actor == 0 && resources == classes_.end())) {
    return invalid_error("a call of a job, a function or a class that was not defined");
  }
  ImportedJob* imported = open(job->second);
  if (imported == nullptr) {
    refuse(call, *job->second.error);
  } else if (call.actor != 0) {
    imported->actors().call(std::move(call), std::move(mentions), function->second);
  } else {
    imported->call(std::move(call), std::move(mentions), function->second, resources->second);
  }
  return {};
}

// What kept it from being opened may pass, and calls of it come for as long as the connection lives.
ImportedJob* Exchange::open(PeerJob& job) {
  if (job.imported || (job.error && clock_.now_ns() < job.retry_at_ns)) {
    return job.imported.get();
  }
  job.error.reset();
  Result<std::shared_ptr<client::Client>> client = open_job_(job.definition);
  if (client.ok()) {
    job.imported = std::make_unique<ImportedJob>(*std::move(client), link_, named_, objects_);
  } else {
    job.error = std::move(client).error();
    job.retry_at_ns = clock_.now_ns() + kOpenJobPauseNs;
  }
  return job.imported.get();
}

// It did not run: the origin may have it run elsewhere.
void Exchange::refuse(const rpc::CallMessage& call, const Error& error) {
  rpc::ResultMessage message;
  message.number = call.number;
  message.outcome = rpc::Outcome::kLost;
  message.message = "the node that was to run it could not open its job: " + error.message();
  link_.post(std::move(message));
}

Result<void> Exchange::open_actor(rpc::OpenActorMessage message) {
  MentionsPtr mentions = message.creation ? mentions_in(link_, message.creation->args) : nullptr;
  rpc::ActorStateMessage refused{message.number, rpc::RemoteActorState::kCrashed, "the job has ended", {}};
  if (ended_jobs_.contains(message.job)) {
    link_.post(std::move(refused));
    return {};
  }
  auto job = jobs_.find(message.job);
  if (job == jobs_.end()) {
    return invalid_error("an actor of a job that was not defined");
  }
  const rpc::FunctionInfo* function = nullptr;
  const rpc::ClassDefinition* what = nullptr;
  if (message.creation) {
    auto known_function = functions_.find(message.creation->function);
    auto known_class = classes_.find(message.creation->class_number);
    if (known_function == functions_.end() || known_class == classes_.end()) {
      return invalid_error("an actor of a class or with resources that were not defined");
    }
    function = &known_function->second;
    what = &known_class->second;
  }
  if (ImportedJob* imported = open(job->second)) {
    imported->actors().open(std::move(message), std::move(mentions), function, what);
  } else {
    refused.message = "the node that was to run it could not open its job: " + job->second.error->message();
    link_.post(std::move(refused));
  }
  return {};
}

void Exchange::any_job(const std::function<bool(ImportedJob&)>& visit) {
  for (auto& [number, job] : jobs_) {
    if (job.imported && visit(*job.imported)) {
      return;
    }
  }
}

void Exchange::actor_state(const rpc::ActorStateMessage& message) {
  std::shared_ptr<ExportedClass> its;
  {
    std::lock_guard guard(lock_);
    auto found = std::find_if(exports_.begin(), exports_.end(), [&](const auto& one) {
      return one->stand_in() != nullptr && one->stand_in()->number() == message.number;
    });
    its = found == exports_.end() ? nullptr : *found;
  }
  if (its) {
    its->actor_state(message);  // it may ask this node, and wait for the answer
  }
}

void Exchange::kill_actor(const rpc::KillRemoteActor& order) {
  std::lock_guard guard(lock_);
  for (const std::shared_ptr<ExportedClass>& one : exports_) {
    if (one->worker() == order.worker) {
      one->kill_actor(order.no_restart, order.abandon);
      return;
    }
  }
  std::vector<rpc::KillRemoteActor>& kept = kills_[order.worker.slot];
  if (!kept.empty() && kept.front().worker != order.worker) {
    kept.clear();  // of a worker that is over
  }
  if (kept.size() < kMaxKeptKills) {
    kept.push_back(order);
  } else {
    kept.back() = order;
  }
}

void Exchange::result(rpc::ResultMessage message) {
  // If it is of a call that was given up, what it names is not wanted.
  MentionsPtr mentions = mentions_in(link_, message.values);
  for (const std::shared_ptr<ExportedClass>& one : exports()) {
    if (one->result(message, mentions)) {
      return;
    }
  }
}

// Several clients of this node may have the promise, and the peer says it once.
void Exchange::resolved(rpc::ResolvedMessage message) {
  MentionsPtr mentions = mentions_in(link_, message.value);
  std::vector<Incoming*> waiting;
  for (auto& [number, job] : jobs_) {
    if (job.imported && job.imported->incoming().has_promise(message.id)) {
      waiting.push_back(&job.imported->incoming());
    }
  }
  std::vector<std::shared_ptr<ExportedClass>> exports = this->exports();
  for (const std::shared_ptr<ExportedClass>& one : exports) {
    if (one->incoming().has_promise(message.id)) {
      waiting.push_back(&one->incoming());
    }
  }
  for (size_t i = 0; i < waiting.size(); ++i) {
    bool last = i + 1 == waiting.size();
    waiting[i]->resolve(message.id, last ? std::move(message.value) : rpc::copy_of(message.value), mentions);
  }
}

std::vector<std::shared_ptr<ExportedClass>> Exchange::exports() {
  std::lock_guard guard(lock_);
  return exports_;
}

void Exchange::export_class(std::unique_ptr<client::Client> worker, ExportedClass::Options options) {
  auto made = std::make_shared<ExportedClass>(std::move(worker), link_, named_, there_, objects_, definitions_,
                                              std::move(options));
  std::unique_lock guard(lock_);
  if (!lost_) {
    if (auto width = widths_.extract(made->slot())) {
      made->set_width(width.mapped());
    }
    if (auto kept = kills_.extract(made->slot())) {
      for (const rpc::KillRemoteActor& kill : kept.mapped()) {
        if (kill.worker == made->worker()) {
          made->kill_actor(kill.no_restart, kill.abandon);
        }
      }
    }
    exports_.push_back(std::move(made));
    return;
  }
  guard.unlock();
  made->peer_lost("the node is gone");
}

void Exchange::set_width(uint16_t slot, uint32_t calls) {
  std::lock_guard guard(lock_);
  for (const std::shared_ptr<ExportedClass>& one : exports_) {
    if (one->slot() == slot) {
      one->set_width(calls);
      return;
    }
  }
  widths_[slot] = calls;
}

size_t Exchange::sweep() {
  objects_.copies().sweep();
  for (auto& [number, job] : jobs_) {
    if (job.imported) {
      job.imported->incoming().sweep();
      job.imported->actors().sweep();
    }
  }
  std::vector<std::shared_ptr<ExportedClass>> over;
  size_t left = 0;
  {
    std::lock_guard guard(lock_);
    auto end = std::stable_partition(exports_.begin(), exports_.end(),
                                     [](const auto& one) { return !one->is_over() || one->is_needed(); });
    over.assign(std::make_move_iterator(end), std::make_move_iterator(exports_.end()));
    exports_.erase(end, exports_.end());
    left = exports_.size();
    for (const std::shared_ptr<ExportedClass>& one : exports_) {
      one->incoming().sweep();
    }
  }
  return left;
}

bool Exchange::has_to_sweep() {
  if (objects_.copies().has_to_sweep()) {
    return true;
  }
  for (auto& [number, job] : jobs_) {
    if (job.imported && (job.imported->incoming().has_to_sweep() || job.imported->actors().has_to_sweep())) {
      return true;
    }
  }
  std::lock_guard guard(lock_);
  return std::any_of(exports_.begin(), exports_.end(), [](const auto& one) { return one->has_to_sweep(); });
}

void Exchange::end_job(uint32_t number) {
  std::vector<std::shared_ptr<ExportedClass>> of_job;
  {
    std::lock_guard guard(lock_);
    auto end =
        std::stable_partition(exports_.begin(), exports_.end(), [&](const auto& one) { return one->job() != number; });
    of_job.assign(std::make_move_iterator(end), std::make_move_iterator(exports_.end()));
    exports_.erase(end, exports_.end());
  }
  of_job.clear();  // nothing of it is posted behind what follows
  link_.post(rpc::JobOverMessage{number});
}

void Exchange::peer_lost(const std::string& why) {
  objects_.lost(link_);
  std::vector<std::shared_ptr<ExportedClass>> exports;
  {
    std::lock_guard guard(lock_);
    lost_ = true;
    exports.swap(exports_);
  }
  for (const std::shared_ptr<ExportedClass>& one : exports) {
    one->peer_lost(why);
  }
  for (auto& [number, job] : jobs_) {
    if (job.imported) {
      job.imported->peer_lost(why);
    }
  }
  jobs_.clear();
}

}  // namespace sabir::gateway
