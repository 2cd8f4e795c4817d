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
                               [&](rpc::BetweenMessage& between) -> Result<void> {
                                 events_.between(std::move(between.bytes));
                                 return {};
                               }},
                    message);
}

Result<void> Exchange::call(rpc::CallMessage call) {
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
  if (!peer_job.imported && !peer_job.error) {
    Result<std::shared_ptr<client::Client>> client = events_.open_job(peer_job.definition);
    if (client.ok()) {
      peer_job.imported = std::make_unique<ImportedJob>(*std::move(client), link_, named_);
    } else {
      peer_job.error = std::move(client).error();
    }
  }
  if (peer_job.error) {
    refuse(call, *peer_job.error);
    return {};
  }
  peer_job.imported->call(std::move(call), function->second, resources->second);
  return {};
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
  std::vector<std::shared_ptr<ExportedClass>> exports;
  {
    std::lock_guard guard(lock_);
    exports = exports_;
  }
  for (const std::shared_ptr<ExportedClass>& one : exports) {
    if (one->result(message)) {
      return;
    }
  }
  // Of a call that was given up: what its result names is not wanted.
  rpc::ReleasedMessage released;
  for (const rpc::WireValue& value : message.values) {
    if (value.stored) {
      released.ids.push_back(value.stored->id);
    }
  }
  if (!released.ids.empty()) {
    link_.post(std::move(released));
  }
}

void Exchange::resolved(rpc::ResolvedMessage message) {
  for (auto& [number, job] : jobs_) {
    if (job.imported && job.imported->incoming().has_promise(message.id)) {
      job.imported->incoming().resolve(message.id, std::move(message.value));
      return;
    }
  }
  std::vector<std::shared_ptr<ExportedClass>> exports;
  {
    std::lock_guard guard(lock_);
    exports = exports_;
  }
  for (const std::shared_ptr<ExportedClass>& one : exports) {
    if (one->incoming().has_promise(message.id)) {
      one->incoming().resolve(message.id, std::move(message.value));
      return;
    }
  }
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
