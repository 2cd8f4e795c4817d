#include "runtime/gateway/exchange.h"

#include <algorithm>

namespace sabir::gateway {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// A peer that defines without end pays with its connection.
constexpr size_t kMaxDefinitions = 1 << 20;

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
                                 classes_.insert_or_assign(definition.number, std::move(definition.resources));
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
                                 pull(message);
                                 return {};
                               },
                               [&](const rpc::BetweenMessage&) -> Result<void> {
                                 return {};  // the node managers', which have it already (Peer)
                               }},
                    message);
}

Result<void> Exchange::call(rpc::CallMessage call) {
  MentionsPtr mentions = mentions_in(link_, call);
  if (ended_jobs_.contains(call.job)) {
    refuse(call, closed_error("the job has ended"));
    return {};
  }
  auto job = jobs_.find(call.job);
  auto function = functions_.find(call.function);
  auto resources = classes_.find(call.class_number);
  if (job == jobs_.end() || function == functions_.end() || resources == classes_.end()) {
    return invalid_error("a call of a job, a function or a class that was not defined");
  }
  PeerJob& peer_job = job->second;
  open(peer_job);
  if (peer_job.error) {
    refuse(call, *peer_job.error);
    return {};
  }
  peer_job.imported->call(std::move(call), std::move(mentions), function->second, resources->second);
  return {};
}

// What kept it from being opened may pass, and calls of it come for as long as the connection lives.
void Exchange::open(PeerJob& job) {
  if (job.imported || (job.error && clock_.now_ns() < job.retry_at_ns)) {
    return;
  }
  job.error.reset();
  Result<std::shared_ptr<client::Client>> client = open_job_(job.definition);
  if (client.ok()) {
    job.imported = std::make_unique<ImportedJob>(*std::move(client), link_, named_);
  } else {
    job.error = std::move(client).error();
    job.retry_at_ns = clock_.now_ns() + kOpenJobPauseNs;
  }
}

// It did not run: the origin may have it run elsewhere.
void Exchange::refuse(const rpc::CallMessage& call, const Error& error) {
  rpc::ResultMessage message;
  message.number = call.number;
  message.outcome = rpc::Outcome::kLost;
  message.message = "the node that was to run it could not open its job: " + error.message();
  link_.post(std::move(message));
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

void Exchange::pull(const rpc::PullMessage& message) {
  std::optional<NamedObjects::Object> object = named_.find(message.id);
  if (!object) {
    link_.refuse(message.transfer, Error(ErrorKind::kObjectLost, "this node has no such object"));
    return;
  }
  sabir_view view = {};
  if (Result<void> seen = object->client->view(object->future, view); !seen.ok()) {
    client::release(object->future);
    link_.refuse(message.transfer, seen.error());
    return;
  }
  link_.send(message.transfer, {static_cast<const uint8_t*>(view.data), view.size},
             [future = object->future](const Result<void>&) { client::release(future); });
}

void Exchange::export_class(std::unique_ptr<client::Client> worker, ExportedClass::Options options) {
  auto made = std::make_shared<ExportedClass>(std::move(worker), link_, named_, definitions_, std::move(options));
  std::unique_lock guard(lock_);
  if (!lost_) {
    if (auto width = widths_.extract(made->slot())) {
      made->set_width(width.mapped());
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
  for (auto& [number, job] : jobs_) {
    if (job.imported) {
      job.imported->incoming().sweep();
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
  for (auto& [number, job] : jobs_) {
    if (job.imported && job.imported->incoming().has_to_sweep()) {
      return true;
    }
  }
  std::lock_guard guard(lock_);
  return !exports_.empty();
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
