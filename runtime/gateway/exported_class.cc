#include "runtime/gateway/exported_class.h"

#include "runtime/client/functions.h"
#include "runtime/gateway/wire_args.h"

namespace sabir::gateway {

using client::Future;
using client::Work;

namespace {

// In an event's tag: it is about an argument of this work. Else the tag is a reference that was promised.
constexpr uint64_t kIsArgument = 1;
static_assert(alignof(Work) > kIsArgument && alignof(Future) > kIsArgument);

}  // namespace

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
                             KeptThere& there, NodeObjects& objects, Definitions& definitions, Options options)
    : client_(std::move(client)),
      relay_(*client_),
      link_(link),
      named_(named),
      there_(there),
      objects_(objects),
      definitions_(definitions),
      options_(std::move(options)),
      job_(client_->core().self.welcome().job),
      events_(*client::EventQueue::create()),
      outgoing_(*client_, link, named, events_),
      incoming_(std::make_shared<Incoming>(*client_, link, named, objects.copies())),
      results_(std::make_unique<RemoteResults>(*client_, *incoming_, there)) {
  client_->core().executor->leave_args_elsewhere();
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
  event_watcher_ = std::thread([this] { watch_events(); });
}

// In this order: nothing is claimed any more, every result that came is in its place, the rest is lost; then the client
// goes, and with it its slot (D1).
ExportedClass::~ExportedClass() {
  peer_lost("the link to the other node ends");
  claimer_.join();
  results_->stop();
  incoming_->stop();
  if (stand_in_) {
    stand_in_->leave();
  }
  objects_.leave(client_.get());
  client_->shutdown();
  event_watcher_.join();
  outgoing_.leave();
  results_.reset();
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
    take_on(*work);
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
    Result<std::vector<rpc::WireArg>> args = write_args(*work, {});
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
  if (stand_in_->is_abandoned()) {
    stop_claiming();
  }
}

void ExportedClass::take_on(Work* work) {
  There there;
  if (gather_args(work, there)) {
    send(work, std::move(there));
  }
}

bool ExportedClass::gather_args(Work* work, There& there) {
  bool creates = work->view.kind == SABIR_WORK_ACTOR_CREATE;
  while (!work->awaited.empty()) {
    if (Result<void> taken = client_->core().executor->take_awaited(work); !taken.ok()) {
      fail(work, taken.error());
      return false;
    }
    std::vector<Future*> missing;
    there.clear();
    for (size_t place : work->awaited) {
      auto* object = reinterpret_cast<Future*>(work->args[place].ref);
      // What creates an actor may be needed again, when the peer has let go of it.
      auto [uid, sequence] = relay_.id_of_entry(object);
      rpc::ObjectId id{uid, sequence};
      MentionsPtr kept = creates ? nullptr : there_.find(id);
      if (kept) {
        there.emplace(place, Own{id, std::move(kept)});
      } else {
        missing.push_back(object);
      }
    }
    if (missing.empty()) {
      return true;
    }
    if (!stand_in_) {
      park(work, missing);
      return false;
    }
    // In order: what comes behind it waits, too.
    (void)client_->get(missing, -1, &claim_waiter_);
    if (lost_.load(std::memory_order_acquire) || !client_->check().ok()) {
      return false;  // it stays claimed, and is lost with this worker
    }
  }
  return true;
}

void ExportedClass::park(Work* work, const std::vector<Future*>& missing) {
  bool lost = false;
  {
    std::lock_guard guard(lock_);
    lost = lost_.load(std::memory_order_relaxed);
    if (!lost) {
      parked_[work] = missing.size();
    }
  }
  if (lost) {
    relay_.give_back(work);
    return;
  }
  // Counts of their own: when the last of them has come the work may be over before this loop is.
  for (Future* object : missing) {
    client::retain(object);
  }
  for (Future* object : missing) {
    client_->watch(object, events_, reinterpret_cast<uint64_t>(work) | kIsArgument);
    client::release(object);
  }
}

void ExportedClass::argument_came(Work* work) {
  {
    std::lock_guard guard(lock_);
    auto found = parked_.find(work);
    if (found == parked_.end() || --found->second != 0) {
      return;
    }
    parked_.erase(found);
  }
  take_on(work);
}

void ExportedClass::send(Work* work, There there) {
  bool creates = work->view.kind == SABIR_WORK_ACTOR_CREATE;
  bool is_known = creates && client_->core().self.welcome().actor.imported;
  Result<void> defined;
  if (!is_known) {
    defined = definitions_.function(*client_, work->view.function_index);
  }
  if (!defined.ok() || undefined_) {
    fail(work, undefined_ ? *undefined_ : defined.error());
    if (creates && stand_in_->cannot_open()) {
      stop_claiming();
    }
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
  Result<std::vector<rpc::WireArg>> args = write_args(*work, there);
  if (!args.ok()) {
    posting.unlock();
    fail(work, args.error());
    return;
  }
  call.args = *std::move(args);
  {
    std::lock_guard guard(lock_);
    if (!lost_.load(std::memory_order_relaxed)) {
      under_way_.emplace(call.number, UnderWay{work, std::move(there)});
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
Result<std::vector<rpc::WireArg>> ExportedClass::write_args(const Work& work, const There& there) {
  std::vector<rpc::WireArg> args;
  std::optional<Error> failed;
  for (size_t i = 0; i < work.args.size(); ++i) {
    const sabir_work_arg& arg = work.args[i];
    std::string name(arg.name.data, arg.name.size);
    auto* stored = reinterpret_cast<Future*>(arg.ref);
    if (auto found = there.find(i); found != there.end()) {
      rpc::WireValue own;
      own.encoding = arg.value.encoding;
      own.language = arg.value.language;
      own.variant = arg.value.variant;
      own.stored = rpc::WireValue::Stored{found->second.id, arg.value.size, true};
      args.push_back({std::move(name), std::move(own)});
      continue;
    }
    Result<rpc::WireValue> value = outgoing_.write(arg.value, stored);
    if (!value.ok()) {
      failed = std::move(value).error();
      break;
    }
    args.push_back({std::move(name), *std::move(value)});
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
  There there;  // not under the lock: what nobody needs there any more is released
  {
    std::lock_guard guard(lock_);
    auto found = under_way_.find(message.number);
    if (found == under_way_.end()) {
      return false;
    }
    work = found->second.work;
    there = std::move(found->second.there);
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
  auto values = std::make_shared<Values>(sort(message, mentions));
  incoming_->read(std::move(values->coming), mentions, Admission::Priority::kWaited,
                  [this, work, values, outcome = message.outcome](Result<std::vector<Future*>> made) {
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
                      end_with(work, *std::move(made), *values);
                    } else if (made->size() == 1) {
                      relay_.fail(work, made->front(), outcome == rpc::Outcome::kRetryable);
                    } else {
                      fail(work, internal_error("an error came back from another node without its value"));
                    }
                  });
  return true;
}

// A stand-in goes with its actor: nobody would be left to fetch what stayed.
ExportedClass::Values ExportedClass::sort(rpc::ResultMessage& message, const MentionsPtr& mentions) const {
  Values values;
  bool may_stay = message.outcome == rpc::Outcome::kValues && stand_in_ == nullptr;
  for (rpc::WireValue& value : message.values) {
    values.staying.emplace_back();
    if (may_stay && RemoteResults::stays(value)) {
      values.staying.back() = std::move(value);
      values.mentions = mentions;
    } else {
      values.coming.push_back(std::move(value));
    }
  }
  return values;
}

void ExportedClass::end_with(Work* work, std::vector<Future*> came, const Values& values) {
  std::vector<Future*> all;
  std::optional<Error> failed;
  auto next = came.begin();
  for (const std::optional<rpc::WireValue>& value : values.staying) {
    if (!value) {
      all.push_back(*next++);
      continue;
    }
    Result<Future*> made = results_->make(*value, values.mentions);
    if (!made.ok()) {
      failed = failed ? failed : made.error();
      continue;
    }
    all.push_back(*made);
  }
  if (failed) {
    release_all(all);
    if (is_lost(failed->kind())) {
      relay_.lose(work, "its result is lost: " + failed->message());
    } else {
      fail(work, std::move(*failed).with_context("its result could not be registered"));
    }
  } else {
    (void)relay_.finish(work, std::move(all));
  }
}

void ExportedClass::watch_events() {
  client::QueuedEvent events[16];
  for (;;) {
    Result<size_t> count = client_->next_events(*events_, events, -1, &event_waiter_);
    if (!count.ok()) {
      if (count.error().kind() == ErrorKind::kInterrupted) {
        continue;
      }
      return;
    }
    for (size_t i = 0; i < *count; ++i) {
      if ((events[i].tag & kIsArgument) != 0) {
        argument_came(reinterpret_cast<Work*>(events[i].tag & ~kIsArgument));
      } else {
        outgoing_.resolved(reinterpret_cast<Future*>(events[i].tag));
      }
    }
  }
}

void ExportedClass::peer_lost(const std::string& why) {
  std::map<uint64_t, UnderWay> lost;
  std::map<Work*, size_t> parked;
  {
    std::lock_guard guard(lock_);
    lost_.store(true, std::memory_order_release);
    lost.swap(under_way_);
    parked.swap(parked_);
  }
  claim_waiter_.interrupt();
  if (stand_in_) {
    stand_in_->crash(why);
  }
  for (auto& [number, one] : lost) {
    lose(one.work, why);
  }
  for (auto& [work, missing] : parked) {
    relay_.give_back(work);
  }
  incoming_->peer_lost(why);
  results_->peer_lost();
}

bool ExportedClass::is_needed() {
  if (lost_.load(std::memory_order_acquire)) {
    return false;  // the sooner it leaves, the sooner what it had is repaired
  }
  {
    std::lock_guard guard(lock_);
    if (!under_way_.empty() || !parked_.empty()) {
      return true;
    }
  }
  return results_->is_needed() || incoming_->is_needed() || named_.has_any_of(client_.get());
}

}  // namespace sabir::gateway
