#include "runtime/gateway/imported_actors.h"

#include <algorithm>
#include <utility>

#include "runtime/client/error_value.h"
#include "runtime/client/submit.h"
#include "runtime/gateway/wire_args.h"

namespace sabir::gateway {

using client::Future;
using rpc::RemoteActorState;
using shm::ActorState;

namespace {

rpc::ActorStateMessage failed(uint64_t number, const Error& error) {
  std::vector<uint8_t> value = client::make_error_value(error.kind(), error.message(), client::kCallAlignment);
  return {number, RemoteActorState::kFailed, error.message(), {value.begin(), value.end()}};
}

// A stand-in begins again after a pause of at most 10 s, and has 10 s to join.
constexpr int64_t kKeepNs = 30 * kSecondNs;

}  // namespace

ImportedActors::ImportedActors(client::Client& client, PeerLink& link, Incoming& incoming,
                               std::shared_ptr<client::EventQueue> changes, Events events)
    : client_(client), link_(link), incoming_(incoming), changes_(std::move(changes)), events_(std::move(events)) {}

ImportedActors::~ImportedActors() { peer_lost(); }

ImportedActors::ActorPtr ImportedActors::find(uint64_t number) {
  std::lock_guard guard(lock_);
  auto found = actors_.find(number);
  return found == actors_.end() ? nullptr : found->second;
}

// --- To have one

void ImportedActors::open(rpc::OpenActorMessage message, MentionsPtr mentions, const rpc::FunctionInfo* function,
                          const rpc::ClassDefinition* what) {
  auto actor = std::make_shared<Actor>();
  actor->number = message.number;
  actor->hosted = message.creation.has_value();
  actor->id = message.actor_id;
  {
    std::lock_guard guard(lock_);
    actors_[message.number] = actor;
  }
  if (!message.creation) {
    rpc::ActorSpec known;
    known.origin.role = rpc::ActorRole::kKnown;
    known.origin.actor_id = message.actor_id;
    made(actor, client_.open_actor(known));
    let_go_if([&](const Kept& kept) { return kept.id == actor->id; });
    return;
  }
  std::vector<rpc::WireValue> values = take_values(message.creation->args);
  auto kept = std::make_shared<rpc::OpenActorMessage>(std::move(message));
  incoming_.read(
      std::move(values), std::move(mentions), Admission::Priority::kArguments,
      [this, actor, kept, function = *function, what = *what](Result<std::vector<Future*>> args) mutable {
        if (!args.ok()) {
          made(actor, std::move(args).error().with_context("the arguments of its constructor did not arrive"));
          return;
        }
        std::vector<sabir_arg> passed = passed_args(kept->creation->args, *args);
        rpc::ActorSpec spec;
        rpc::OpenActorMessage::Creation& creation = *kept->creation;
        spec.name = std::move(creation.name);
        spec.resources = std::move(what.resources);
        spec.scheduling = std::move(what.scheduling);
        spec.max_concurrency = creation.max_concurrency;
        spec.class_info = std::move(creation.class_info);
        spec.class_name = std::move(creation.class_name);
        spec.language = function.language;
        spec.origin = {rpc::ActorRole::kHosted, std::move(kept->actor_id), link_.peer().id, link_.peer().incarnation};
        Result<client::Function*> exported = client_.core().functions->export_function(function);
        if (exported.ok()) {
          spec.class_function = (*exported)->index;
          client::release(*exported);
          made(actor, client_.create_actor(spec, passed));
        } else {
          made(actor, std::move(exported).error());
        }
        release_all(*args);
      });
}

void ImportedActors::made(const ActorPtr& actor, Result<Future*> handle) {
  if (!handle.ok()) {
    rpc::ActorStateMessage last = failed(actor->number, handle.error());
    if (actor->hosted && !is_final(handle.error())) {
      last.state = RemoteActorState::kCrashed;
    }
    over(actor, std::move(last));
    return;
  }
  bool closed = false;
  {
    std::lock_guard guard(lock_);
    closed = actor->closed;
    if (!closed) {
      actor->handle = *handle;
      client_.watch_actor(*handle, changes_, actor->number);  // under the lock: end() lets go of the handle
    }
  }
  if (closed) {
    if (actor->kill_when_made) {
      (void)client_.kill_actor(*handle, true);
    }
    client::release(*handle);
  }
}

// --- Calls

Result<uint32_t> ImportedActors::method_index(uint32_t function, const rpc::FunctionInfo& method) {
  if (auto known = methods_.find(function); known != methods_.end()) {
    return known->second;
  }
  SABIR_ASSIGN_OR_RETURN(client::Function * exported, client_.core().functions->export_function(method));
  uint32_t index = exported->index;
  client::release(exported);
  methods_.emplace(function, index);
  return index;
}

void ImportedActors::call(rpc::CallMessage call, MentionsPtr mentions, const rpc::FunctionInfo& method) {
  ActorPtr actor = find(call.actor);
  if (!actor) {
    // It is over, and the peer knows or will know: what that means for its calls is the peer's to say.
    link_.post(rpc::ResultMessage{call.number, rpc::Outcome::kLost, {}, "its actor is gone"});
    return;
  }
  Result<uint32_t> index = method_index(call.function, method);
  if (!index.ok()) {
    events_.refused(call.number, index.error());
    return;
  }
  auto waiting = std::make_shared<Waiting>();
  waiting->method = *index;
  std::vector<rpc::WireValue> values = take_values(call.args);
  waiting->call = std::move(call);
  waiting->is_ready = values.empty();
  {
    std::lock_guard guard(lock_);
    actor->calls.push_back(waiting);
  }
  if (values.empty()) {
    submit_ready(actor);
    return;
  }
  incoming_.read(std::move(values), std::move(mentions), Admission::Priority::kArguments,
                 [this, actor, waiting](Result<std::vector<Future*>> args) {
                   {
                     std::lock_guard guard(lock_);
                     waiting->is_ready = true;
                     if (args.ok()) {
                       waiting->args = *std::move(args);
                     } else {
                       waiting->error = std::move(args).error();
                     }
                   }
                   submit_ready(actor);
                 });
}

void ImportedActors::submit_ready(const ActorPtr& actor) {
  // Under the lock to the end: they are submitted in their order, whichever thread comes first.
  std::lock_guard guard(lock_);
  while (!actor->calls.empty() && actor->calls.front()->is_ready) {
    std::shared_ptr<Waiting> waiting = std::move(actor->calls.front());
    actor->calls.pop_front();
    if (waiting->error) {
      events_.refused(waiting->call.number, Error(*waiting->error).with_context("its arguments did not arrive"));
    } else if (actor->handle == nullptr) {
      link_.post(rpc::ResultMessage{waiting->call.number, rpc::Outcome::kLost, {}, "its actor is gone"});
      release_all(waiting->args);
    } else {
      submit(actor->handle, *waiting);
    }
  }
}

void ImportedActors::submit(Future* handle, Waiting& waiting) {
  std::vector<sabir_arg> passed = passed_args(waiting.call.args, waiting.args);
  std::vector<sabir_ref*> refs(waiting.call.num_returns);
  constexpr int32_t kNoRetries = 0;  // the origin's to decide: its stand-in ends with this incarnation, too
  Result<void> sent = client_.core().submitter->submit_actor(handle, waiting.method, waiting.call.num_returns, passed,
                                                             refs.data(), kNoRetries);
  release_all(waiting.args);
  if (!sent.ok()) {
    events_.refused(waiting.call.number, sent.error());
    return;
  }
  std::vector<Future*> results;
  results.reserve(refs.size());
  for (sabir_ref* ref : refs) {
    results.push_back(reinterpret_cast<Future*>(ref));
  }
  events_.submitted(waiting.call.number, std::move(results));
}

// --- Its life

void ImportedActors::changed(uint64_t number) {
  ActorPtr actor = find(number);
  Future* handle = nullptr;
  uint32_t told = 0;
  if (actor) {
    std::lock_guard guard(lock_);
    handle = actor->handle == nullptr ? nullptr : client::retain(actor->handle);
    told = actor->alive_incarnation;
  }
  if (handle == nullptr) {
    return;
  }
  shm::ActorWord word = client_.actor_word(handle);
  if (word.state == ActorState::kDead) {
    over(actor, last_words(*actor, handle, told != 0));
  } else if (told != 0 && word.incarnation != told) {
    // An actor of this node restarts. The peer's stand-in does the same, and asks for it again.
    over(actor, {number, RemoteActorState::kCrashed, "its process died", {}});
  } else if (told == 0 && word.state == ActorState::kAlive) {
    {
      std::lock_guard guard(lock_);
      actor->alive_incarnation = word.incarnation;
    }
    link_.post(rpc::ActorStateMessage{number, RemoteActorState::kAlive, {}, {}});
  }
  client::release(handle);
}

rpc::ActorStateMessage ImportedActors::last_words(const Actor& actor, Future* handle, bool was_alive) {
  Result<rpc::ActorDescription> words = client_.describe_death(handle);
  if (!words.ok()) {
    return {actor.number, RemoteActorState::kCrashed, words.error().message(), {}};
  }
  std::string message = client_.death_reason(handle);
  if (!actor.hosted || (!was_alive && !words->crashed)) {
    return {actor.number, RemoteActorState::kFailed, std::move(message), std::move(words->error)};
  }
  return {actor.number, words->crashed ? RemoteActorState::kCrashed : RemoteActorState::kLeft, std::move(message), {}};
}

void ImportedActors::over(const ActorPtr& actor, rpc::ActorStateMessage last) {
  {
    std::lock_guard guard(lock_);
    if (actor->closed) {
      return;
    }
    if (!actor->hosted && last.state == RemoteActorState::kCrashed && actor->handle != nullptr) {
      kept_.push_back({actor->id, client::retain(actor->handle), client_.core().self.clock().now_ns() + kKeepNs});
    }
  }
  end(actor, false);
  link_.post(std::move(last));
  if (has_to_sweep()) {
    link_.want_sweep();
  }
}

void ImportedActors::end(const ActorPtr& actor, bool kill) {
  Future* handle = nullptr;
  {
    std::lock_guard guard(lock_);
    actor->closed = true;
    actor->kill_when_made = kill;
    handle = std::exchange(actor->handle, nullptr);
    std::erase_if(actors_, [&](const auto& entry) { return entry.second == actor; });
  }
  if (handle == nullptr) {
    return;
  }
  client_.unwatch_actor(handle, changes_.get(), actor->number);
  if (kill) {
    (void)client_.kill_actor(handle, true);
  }
  client::release(handle);
}

bool ImportedActors::close(const rpc::CloseActorMessage& message) {
  ActorPtr actor = find(message.number);
  if (actor) {
    end(actor, message.kill);
  }
  return actor != nullptr;
}

bool ImportedActors::kill(const rpc::KillActorMessage& message) {
  ActorPtr actor = find(message.number);
  if (!actor) {
    return false;
  }
  Future* handle = nullptr;
  {
    std::lock_guard guard(lock_);
    handle = actor->handle == nullptr ? nullptr : client::retain(actor->handle);
  }
  if (handle != nullptr) {
    (void)client_.kill_actor(handle, message.no_restart);
    client::release(handle);
  }
  return true;
}

void ImportedActors::let_go_if(const std::function<bool(const Kept&)>& condition) {
  std::vector<Kept> gone;
  {
    std::lock_guard guard(lock_);
    auto end = std::stable_partition(kept_.begin(), kept_.end(), [&](const Kept& kept) { return !condition(kept); });
    gone.assign(end, kept_.end());
    kept_.erase(end, kept_.end());
  }
  for (const Kept& kept : gone) {
    client::release(kept.handle);
  }
}

void ImportedActors::sweep() {
  let_go_if([now_ns = client_.core().self.clock().now_ns()](const Kept& kept) { return kept.until_ns <= now_ns; });
}

bool ImportedActors::has_to_sweep() {
  std::lock_guard guard(lock_);
  return !kept_.empty();
}

void ImportedActors::peer_lost() {
  let_go_if([](const Kept&) { return true; });
  std::map<uint64_t, ActorPtr> actors;
  {
    std::lock_guard guard(lock_);
    actors = actors_;
  }
  for (auto& [number, actor] : actors) {
    end(actor, actor->hosted);
  }
}

}  // namespace sabir::gateway
