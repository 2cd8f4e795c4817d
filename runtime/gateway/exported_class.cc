#include "runtime/gateway/exported_class.h"

#include "runtime/client/functions.h"

namespace sabir::gateway {

using client::Future;
using client::Work;

Result<void> Definitions::job(uint32_t number, const std::string& id, const rpc::JobConfig& config) {
  rpc::NodeMessage definition = rpc::JobDefinition{number, id, config};
  if (rpc::size_bytes(definition) > rpc::kMaxNodeMessageBytes) {
    return too_large_error("a job's configuration");
  }
  std::lock_guard guard(lock_);
  if (jobs_.emplace(number, true).second) {
    link_.post(std::move(definition));
  }
  return {};
}

uint64_t Definitions::next_call() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

Result<void> Definitions::function(client::Client& client, uint32_t number) {
  {
    std::lock_guard guard(lock_);
    if (functions_.contains(number)) {
      return {};
    }
  }
  // Without the lock: it asks the node. Posted twice it is the same.
  SABIR_ASSIGN_OR_RETURN(const rpc::FunctionInfo* info, client.core().functions->fetch(number));
  rpc::NodeMessage definition = rpc::FunctionDefinition{number, *info};
  if (rpc::size_bytes(definition) > rpc::kMaxNodeMessageBytes) {
    return too_large_error("a function");
  }
  std::lock_guard guard(lock_);
  if (functions_.emplace(number, true).second) {
    link_.post(std::move(definition));
  }
  return {};
}

uint32_t Definitions::class_of(const std::vector<rpc::ResourceAmount>& resources, const Scheduling& scheduling) {
  std::lock_guard guard(lock_);
  for (const rpc::ClassDefinition& known : classes_) {
    if (known.resources == resources && known.scheduling == scheduling) {
      return known.number;
    }
  }
  auto number = static_cast<uint32_t>(classes_.size());
  classes_.push_back({number, resources, scheduling});
  link_.post(classes_.back());
  return number;
}

ExportedClass::ExportedClass(std::unique_ptr<client::Client> client, PeerLink& link, NamedObjects& named,
                             NodeObjects& objects, Definitions& definitions, Options options)
    : client_(std::move(client)),
      relay_(*client_),
      link_(link),
      named_(named),
      objects_(objects),
      definitions_(definitions),
      options_(std::move(options)),
      job_(client_->core().self.welcome().job),
      promises_(*client::EventQueue::create()),
      outgoing_(*client_, link, named, promises_),
      incoming_(std::make_shared<Incoming>(*client_, link, objects.copies())) {
  const rpc::WelcomeInfo& welcome = client_->core().self.welcome();
  if (Result<void> defined = definitions_.job(job_, welcome.job_id, welcome.job_config); !defined.ok()) {
    undefined_ = defined.error();
  }
  class_number_ = definitions_.class_of(options_.resources, options_.scheduling);
  if (StandIn::is_wanted(*client_)) {
    stand_in_ = std::make_unique<StandIn>(*client_, link_);
  } else {
    relay_.set_width(options_.width);
  }
  claimer_ = std::thread([this] { claim_calls(); });
  promise_watcher_ = std::thread([this] { watch_promises(); });
}

// In this order: nothing is claimed any more, every result that came is in its place, the rest is lost; then the client
// goes, and with it its slot (D1).
ExportedClass::~ExportedClass() {
  peer_lost("the link to the other node ends");
  claimer_.join();
  incoming_->stop();
  if (stand_in_) {
    stand_in_->leave();
  }
  objects_.leave(client_.get());
  client_->shutdown();
  promise_watcher_.join();
  outgoing_.leave();
  incoming_.reset();
}

void ExportedClass::claim_calls() {
  while (!lost_.load(std::memory_order_acquire)) {
    Result<Work*> work = client_->next_work(-1, &claim_waiter_);
    if (!work.ok()) {
      if (work.error().kind() == ErrorKind::kInterrupted) {
        continue;
      }
      break;
    }
    if (*work == nullptr) {
      break;
    }
    send(*work);
  }
  over_.store(true, std::memory_order_release);
  link_.want_sweep();
}

void ExportedClass::create_actor(Work* work) {
  const rpc::HostedActor& actor = client_->core().self.welcome().actor;
  rpc::OpenActorMessage message;
  message.number = stand_in_->number();
  message.job = job_;
  message.actor_id = actor.actor_id;
  std::unique_lock posting(named_.posting());
  if (!actor.imported) {
    rpc::OpenActorMessage::Creation& creation = message.creation.emplace();
    creation.function = actor.class_function;
    creation.class_number = class_number_;
    creation.max_concurrency = actor.max_concurrency;
    creation.name = actor.name;
    creation.class_name = actor.class_name;
    creation.class_info = actor.class_info;
    Result<std::vector<rpc::WireArg>> args = write_args(*work);
    if (!args.ok()) {
      posting.unlock();
      fail(work, args.error());
      return;
    }
    creation.args = *std::move(args);
  }
  if (!stand_in_->create(work, message) && message.creation) {
    take_back(message.creation->args);
  }
}

void ExportedClass::send(Work* work) {
  bool creates = work->view.kind == SABIR_WORK_ACTOR_CREATE;
  bool is_known = creates && client_->core().self.welcome().actor.imported;
  Result<void> defined;
  if (!is_known) {
    defined = definitions_.function(*client_, work->view.function_index);
  }
  if (!defined.ok() || undefined_) {
    fail(work, undefined_ ? *undefined_ : defined.error());
    return;
  }
  if (creates) {
    create_actor(work);
    return;
  }
  rpc::CallMessage call;
  call.number = Definitions::next_call();
  call.job = job_;
  call.function = work->view.function_index;
  call.class_number = class_number_;
  call.num_returns = static_cast<uint16_t>(work->view.num_returns);
  call.attempt = static_cast<uint16_t>(work->view.attempt);
  call.actor = stand_in_ ? stand_in_->number() : 0;
  std::unique_lock posting(named_.posting());
  Result<std::vector<rpc::WireArg>> args = write_args(*work);
  if (!args.ok()) {
    posting.unlock();
    fail(work, args.error());
    return;
  }
  call.args = *std::move(args);
  {
    std::lock_guard guard(lock_);
    if (!lost_.load(std::memory_order_relaxed)) {
      under_way_.emplace(call.number, work);
      work = nullptr;
    }
  }
  if (work != nullptr) {
    take_back(call.args);
    posting.unlock();
    if (!stand_in_) {
      relay_.give_back(work);
    }
    return;
  }
  link_.post(std::move(call));
}

// All of them, or nothing is named.
Result<std::vector<rpc::WireArg>> ExportedClass::write_args(const Work& work) {
  std::vector<rpc::WireArg> args;
  std::optional<Error> failed;
  for (const sabir_work_arg& arg : work.args) {
    Result<rpc::WireValue> value = outgoing_.write(arg.value, reinterpret_cast<Future*>(arg.ref));
    if (!value.ok()) {
      failed = std::move(value).error();
      break;
    }
    args.push_back({{arg.name.data, arg.name.size}, *std::move(value)});
  }
  if (!failed && rpc::wire_bytes(args) > rpc::kMaxNodeMessageBytes) {
    failed = too_large_error("a call");
  }
  if (!failed) {
    return args;
  }
  take_back(args);
  return *failed;
}

void ExportedClass::take_back(const std::vector<rpc::WireArg>& args) {
  for (const rpc::WireArg& arg : args) {
    outgoing_.take_back(arg.value);
  }
}

void ExportedClass::fail(Work* work, const Error& error) {
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.kind = static_cast<sabir_status>(error.kind());
  failure.message = {error.message().data(), error.message().size()};
  (void)client_->core().executor->fail(work, failure);
}

namespace {

// It is gone, or its way here is: run again it comes back.
bool is_lost(ErrorKind kind) {
  return kind == ErrorKind::kDisconnected || kind == ErrorKind::kClosed || kind == ErrorKind::kTimeout ||
         kind == ErrorKind::kObjectLost;
}

}  // namespace

void ExportedClass::lose(Work* work, const std::string& why) {
  if (!stand_in_) {
    relay_.lose(work, why);
  }
}

void ExportedClass::stop_claiming() {
  lost_.store(true, std::memory_order_release);
  claim_waiter_.interrupt();
}

void ExportedClass::actor_state(const rpc::ActorStateMessage& message) {
  if (stand_in_->state(message)) {
    stop_claiming();
  }
}

void ExportedClass::kill_actor(bool no_restart, bool abandon) {
  if (stand_in_ && stand_in_->kill(no_restart, abandon)) {
    stop_claiming();
  }
}

bool ExportedClass::result(rpc::ResultMessage& message, const MentionsPtr& mentions) {
  Work* work = nullptr;
  {
    std::lock_guard guard(lock_);
    auto found = under_way_.find(message.number);
    if (found == under_way_.end()) {
      return false;
    }
    work = found->second;
    under_way_.erase(found);
  }
  switch (message.outcome) {
    case rpc::Outcome::kLost:
      lose(work, message.message);
      return true;
    case rpc::Outcome::kNotBegun:
      if (!stand_in_) {
        relay_.give_back(work);
      }
      return true;
    case rpc::Outcome::kValues:
    case rpc::Outcome::kFailed:
    case rpc::Outcome::kRetryable:
      break;
  }
  incoming_->read(std::move(message.values), mentions, Admission::Priority::kWaited,
                  [this, work, outcome = message.outcome](Result<std::vector<Future*>> made) {
                    if (!made.ok()) {
                      if (stand_in_) {
                        fail(work, Error(ErrorKind::kActorUnavailable,
                                         "the result of an actor's call did not arrive: " + made.error().message()));
                      } else if (is_lost(made.error().kind())) {
                        relay_.lose(work, "its result did not arrive: " + made.error().message());
                      } else {
                        fail(work, std::move(made).error().with_context("its result could not be fetched"));
                      }
                    } else if (outcome == rpc::Outcome::kValues) {
                      (void)relay_.finish(work, *std::move(made));
                    } else if (made->size() == 1) {
                      relay_.fail(work, made->front(), outcome == rpc::Outcome::kRetryable);
                    } else {
                      fail(work, internal_error("an error came back from another node without its value"));
                    }
                  });
  return true;
}

void ExportedClass::watch_promises() {
  client::QueuedEvent events[16];
  for (;;) {
    Result<size_t> count = client_->next_events(*promises_, events, -1, &promise_waiter_);
    if (!count.ok()) {
      if (count.error().kind() == ErrorKind::kInterrupted) {
        continue;
      }
      return;
    }
    for (size_t i = 0; i < *count; ++i) {
      outgoing_.resolved(reinterpret_cast<Future*>(events[i].tag));
    }
  }
}

void ExportedClass::peer_lost(const std::string& why) {
  std::map<uint64_t, Work*> lost;
  {
    std::lock_guard guard(lock_);
    lost_.store(true, std::memory_order_release);
    lost.swap(under_way_);
  }
  claim_waiter_.interrupt();
  if (stand_in_) {
    stand_in_->crash(why);
  }
  for (auto& [number, work] : lost) {
    lose(work, why);
  }
  incoming_->peer_lost(why);
}

bool ExportedClass::is_needed() {
  if (lost_.load(std::memory_order_acquire)) {
    return false;  // the sooner it leaves, the sooner what it had is repaired
  }
  {
    std::lock_guard guard(lock_);
    if (!under_way_.empty()) {
      return true;
    }
  }
  return incoming_->is_needed() || named_.has_any_of(client_.get());
}

}  // namespace sabir::gateway
