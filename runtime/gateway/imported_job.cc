#include "runtime/gateway/imported_job.h"

#include "runtime/base/hex.h"
#include "runtime/client/call.h"
#include "runtime/client/error_value.h"
#include "runtime/client/submit.h"
#include "runtime/gateway/wire_args.h"

namespace sabir::gateway {

using client::Future;
using client::Task;

namespace {

constexpr double kUnits = 10000;

sabir_string lend(const std::string& text) { return {text.data(), text.size()}; }

}  // namespace

ImportedJob::ImportedJob(std::shared_ptr<client::Client> client, PeerLink& link, NamedObjects& named,
                         NodeObjects& objects)
    : client_(std::move(client)),
      relay_(*client_),
      link_(link),
      named_(named),
      events_(*client::EventQueue::create()),
      outgoing_(*client_, link, named, events_),
      incoming_(std::make_shared<Incoming>(*client_, link, named, objects.copies())),
      actors_(std::make_unique<ImportedActors>(
          *client_, link, *incoming_, events_,
          ImportedActors::Events{
              [this](uint64_t number, std::vector<Future*> results) { submitted(number, std::move(results)); },
              [this](uint64_t number, const Error& error) { refuse(number, error); }})),
      watcher_([this] { watch(); }) {}

ImportedJob::~ImportedJob() {
  incoming_->stop();
  {
    std::lock_guard guard(lock_);
    over_ = true;
  }
  waiter_.interrupt();
  watcher_.join();
  actors_.reset();
  for (auto& [last, call] : running_) {
    release_all(call.results);
  }
  for (auto& [key, task] : tasks_) {
    client::release(task);
  }
  outgoing_.leave();
}

Result<Task*> ImportedJob::task_for(const rpc::CallMessage& call, const rpc::FunctionInfo& function,
                                    const rpc::ClassDefinition& what) {
  TaskKey key{call.function, call.class_number, call.num_returns};
  if (auto known = tasks_.find(key); known != tasks_.end()) {
    return known->second;
  }
  SABIR_ASSIGN_OR_RETURN(client::Function * exported, client_->core().functions->export_function(function));
  std::vector<sabir_resource> amounts;
  for (const rpc::ResourceAmount& resource : what.resources) {
    amounts.push_back({lend(resource.name), static_cast<double>(resource.units) / kUnits});
  }
  sabir_resource none = {};
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  options.resources = amounts.empty() ? &none : amounts.data();
  options.resource_count = amounts.size();
  options.num_returns = call.num_returns;
  options.max_retries = 0;  // the origin's to decide
  sabir_scheduling scheduling = SABIR_SCHEDULING_INIT;
  std::string group = to_hex(what.scheduling.group_id);
  if (what.scheduling.kind == Scheduling::Kind::kGroup) {
    scheduling.strategy = SABIR_STRATEGY_GROUP;
    scheduling.group_id = lend(group);
    scheduling.bundle = what.scheduling.bundle;
    scheduling.capture_children = what.scheduling.capture_children ? 1 : 0;
    options.scheduling = &scheduling;
  }
  Result<Task*> prepared = client_->prepare_task(*exported, options);
  client::release(exported);
  if (prepared.ok()) {
    tasks_.emplace(key, *prepared);
  }
  return prepared;
}

void ImportedJob::call(rpc::CallMessage call, MentionsPtr mentions, const rpc::FunctionInfo& function,
                       const rpc::ClassDefinition& what) {
  Result<Task*> task = task_for(call, function, what);
  if (!task.ok()) {
    refuse(call.number, task.error());
    return;
  }
  std::vector<rpc::WireValue> values = take_values(call.args);
  if (values.empty()) {
    submit(*task, call, {});
    return;
  }
  auto kept = std::make_shared<rpc::CallMessage>(std::move(call));
  incoming_->read(
      std::move(values), std::move(mentions), Admission::Priority::kArguments,
      [this, task = *task, kept](Result<std::vector<Future*>> args) {
        if (args.ok()) {
          submit(task, *kept, *args);
        } else if (is_final(args.error())) {
          refuse(kept->number, args.error());
        } else {
          // It did not run; elsewhere, or later, it may.
          link_.post(rpc::ResultMessage{
              kept->number, rpc::Outcome::kLost, {}, "its arguments did not arrive: " + args.error().message()});
        }
      });
}

void ImportedJob::submit(Task* task, const rpc::CallMessage& call, const std::vector<Future*>& args) {
  std::vector<sabir_arg> passed = passed_args(call.args, args);
  std::vector<sabir_ref*> refs(call.num_returns);
  Result<void> sent = client_->core().submitter->submit_task(task, passed, refs.data(), call.attempt);
  release_all(args);
  if (!sent.ok()) {
    refuse(call.number, sent.error());
    return;
  }
  std::vector<Future*> results;
  for (sabir_ref* ref : refs) {
    results.push_back(reinterpret_cast<Future*>(ref));
  }
  submitted(call.number, std::move(results));
}

void ImportedJob::submitted(uint64_t number, std::vector<Future*> results) {
  if (results.empty()) {
    // Nothing comes back but that it was sent; that it ran nobody can ask for.
    link_.post(rpc::ResultMessage{number, rpc::Outcome::kValues, {}, {}});
    return;
  }
  Running running{number, std::move(results)};
  Future* last = running.results.back();
  {
    std::lock_guard guard(lock_);
    running_.emplace(last, std::move(running));
  }
  client_->watch(last, events_, reinterpret_cast<uint64_t>(last));
}

void ImportedJob::refuse(uint64_t number, const Error& error) {
  rpc::ResultMessage message;
  message.number = number;
  message.outcome = rpc::Outcome::kFailed;
  message.values.push_back(error_value(error));
  link_.post(std::move(message));
}

void ImportedJob::watch() {
  client::QueuedEvent events[64];
  for (;;) {
    {
      std::lock_guard guard(lock_);
      if (over_) {
        return;
      }
    }
    Result<size_t> count = client_->next_events(*events_, events, -1, &waiter_);
    if (!count.ok()) {
      if (count.error().kind() == ErrorKind::kInterrupted) {
        continue;
      }
      return;
    }
    for (size_t i = 0; i < *count; ++i) {
      if (events[i].kind == client::kEventActorChanged) {
        actors_->changed(events[i].tag);
        continue;
      }
      auto* future = reinterpret_cast<Future*>(events[i].tag);
      std::optional<Running> call;
      {
        std::lock_guard guard(lock_);
        auto found = running_.find(future);
        if (found != running_.end()) {
          call = std::move(found->second);
          running_.erase(found);
        }
      }
      if (call) {
        answer(*call);
      } else {
        outgoing_.resolved(future);
      }
    }
  }
}

void ImportedJob::answer(const Running& call) {
  rpc::ResultMessage message;
  message.number = call.number;
  std::unique_lock posting(named_.posting());
  Result<void> written = write_results(call, message);
  if (written.ok() && rpc::wire_bytes(message) > rpc::kMaxNodeMessageBytes) {
    written = too_large_error("a result");
  }
  if (!written.ok()) {
    for (const rpc::WireValue& value : message.values) {
      outgoing_.take_back(value);
    }
    message.outcome = rpc::Outcome::kFailed;
    message.values.clear();
    message.values.push_back(error_value(written.error()));
  }
  link_.post(std::move(message));
  posting.unlock();
  release_all(call.results);
}

Result<void> ImportedJob::write_results(const Running& call, rpc::ResultMessage& message) {
  Future* first = call.results.front();
  if (first->is_error()) {
    message.outcome = first->retryable ? rpc::Outcome::kRetryable : rpc::Outcome::kFailed;
    sabir_view view = {};
    if (first->crashed && client_->view(first, view).ok()) {
      message.outcome = rpc::Outcome::kLost;
      message.message = client::read_error_map({static_cast<const uint8_t*>(view.data), view.size}).message;
      return {};
    }
    SABIR_ASSIGN_OR_RETURN(rpc::WireValue value, outgoing_.write(first));
    message.values.push_back(std::move(value));
    return {};
  }
  for (Future* result : call.results) {
    SABIR_ASSIGN_OR_RETURN(rpc::WireValue value, outgoing_.write(result));
    message.values.push_back(std::move(value));
  }
  return {};
}

void ImportedJob::peer_lost(const std::string& why) {
  actors_->peer_lost();
  incoming_->peer_lost(why);
}

}  // namespace sabir::gateway
