#include "runtime/gateway/stand_in.h"

#include <utility>

#include "runtime/gateway/exported_class.h"

namespace sabir::gateway {

namespace {

constexpr int64_t kTimeoutNs = 60 * kSecondNs;

}  // namespace

StandIn::StandIn(client::Client& worker, PeerLink& link)
    : worker_(worker), relay_(worker), link_(link), number_(Definitions::next_call()) {}

bool StandIn::create(client::Work* work, rpc::OpenActorMessage& message) {
  std::lock_guard guard(lock_);
  creation_ = work;
  if (end_ != End::kOpen) {
    return false;  // it dies with this worker
  }
  // Under the lock: nothing that names the number may be posted before it.
  is_open_ = true;
  link_.post(std::move(message));
  if (early_kill_) {
    link_.post(rpc::KillActorMessage{number_, *early_kill_});
  }
  if (abandon_when_open_) {
    end_ = End::kAbandoned;
  }
  return true;
}

bool StandIn::cannot_open() {
  std::lock_guard guard(lock_);
  if (abandon_when_open_ && end_ == End::kOpen) {
    end_ = End::kAbandoned;
  }
  return end_ != End::kOpen;
}

bool StandIn::is_abandoned() {
  std::lock_guard guard(lock_);
  return end_ == End::kAbandoned;
}

bool StandIn::state(const rpc::ActorStateMessage& message) {
  client::Work* creation = nullptr;
  {
    std::lock_guard guard(lock_);
    if (end_ != End::kOpen) {
      return true;
    }
    is_open_ = message.state == rpc::RemoteActorState::kAlive;
    switch (message.state) {
      case rpc::RemoteActorState::kAlive:
      case rpc::RemoteActorState::kFailed:
        creation = std::exchange(creation_, nullptr);
        break;
      case rpc::RemoteActorState::kLeft:
        end_ = End::kLeft;
        break;
      case rpc::RemoteActorState::kCrashed:
        end_ = End::kCrashed;
        why_ = message.message;
        break;
    }
  }
  if (creation != nullptr && message.state == rpc::RemoteActorState::kAlive) {
    (void)relay_.finish_creation(creation);
  } else if (creation != nullptr) {
    relay_.fail_creation(creation, message.message, message.error);
  } else if (message.state == rpc::RemoteActorState::kFailed) {
    client::Core& core = worker_.core();
    core.self.session().post_fail_actor(core.self.welcome().actor.actor, message.message, message.error);
    crash(message.message);  // so that leave() waits until this has arrived
  }
  return message.state != rpc::RemoteActorState::kAlive;
}

bool StandIn::kill(bool no_restart, bool abandon) {
  std::lock_guard guard(lock_);
  if (end_ != End::kOpen) {
    return true;
  }
  bool imported = worker_.core().self.welcome().actor.imported;
  if (abandon && imported && early_kill_ && creation_ == nullptr) {
    abandon_when_open_ = true;
    return false;
  }
  if (abandon) {
    end_ = End::kAbandoned;
    return true;
  }
  if (is_open_) {
    link_.post(rpc::KillActorMessage{number_, no_restart});
  } else {
    early_kill_ = no_restart || early_kill_.value_or(false);
  }
  return false;
}

void StandIn::crash(const std::string& why) {
  std::lock_guard guard(lock_);
  if (end_ == End::kOpen) {
    end_ = End::kCrashed;
    why_ = why;
  }
}

void StandIn::leave() {
  std::unique_lock held(lock_);
  End end = std::exchange(end_, End::kAsked);
  bool tell_peer = std::exchange(is_open_, false);
  held.unlock();
  if (tell_peer) {
    bool hosted = !worker_.core().self.welcome().actor.imported;
    link_.post(rpc::CloseActorMessage{number_, hosted && end == End::kAbandoned});
  }
  if (end == End::kLeft) {
    (void)worker_.core().self.session().leave("", kTimeoutNs);
  } else if (end == End::kCrashed) {
    (void)worker_.core().self.session().leave(why_.empty() ? "it is gone" : why_, kTimeoutNs);
  }
}

}  // namespace sabir::gateway
