// The target's side of actors: those that run here for a peer that is their home, and those of this node that a peer
// has handles of. Each has a number of the peer's.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/client/event_queue.h"
#include "runtime/client/functions.h"
#include "runtime/gateway/incoming.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

class ImportedActors {
 public:
  struct Events {
    // A call was submitted: its results, with a count on each. Any thread.
    std::function<void(uint64_t number, std::vector<client::Future*> results)> submitted;
    // It cannot be.
    std::function<void(uint64_t number, const Error& error)> refused;
  };

  // kEventActorChanged with a number as its tag comes to `changes`: give it to changed(). All must outlive it.
  ImportedActors(client::Client& client, PeerLink& link, Incoming& incoming,
                 std::shared_ptr<client::EventQueue> changes, Events events);
  ~ImportedActors();

  // --- From the link, in the order of the messages. `function`, `what`: of an actor that is to be made.
  void open(rpc::OpenActorMessage message, MentionsPtr mentions, const rpc::FunctionInfo* function,
            const rpc::ClassDefinition* what);
  void call(rpc::CallMessage call, MentionsPtr mentions, const rpc::FunctionInfo& method);
  // False: no such number.
  bool close(const rpc::CloseActorMessage& message);
  bool kill(const rpc::KillActorMessage& message);
  // Lets go of what was kept for a peer that has not come again.
  void sweep();
  bool has_to_sweep();
  // Those that run for the peer are killed: it takes them for dead, and may have them run elsewhere.
  void peer_lost();

  // --- From the thread that reads `changes`.
  void changed(uint64_t number);

 private:
  struct Waiting {
    rpc::CallMessage call;
    uint32_t method = 0;
    bool is_ready = false;
    std::vector<client::Future*> args;  // a count on each
    std::optional<Error> error;
  };
  // Under lock_, but for `number` and `hosted`.
  struct Actor {
    uint64_t number = 0;
    bool hosted = false;
    std::string id;
    client::Future* handle = nullptr;  // a count; null until it is made
    uint32_t alive_incarnation = 0;    // that the peer was told of
    bool closed = false;
    bool kill_when_made = false;
    std::deque<std::shared_ptr<Waiting>> calls;  // in the order they came, until their arguments have arrived
  };
  using ActorPtr = std::shared_ptr<Actor>;
  // Actors of this node that restart: the peer's stand-in does the same, and comes again with another number. Until
  // then they may have no other handle.
  struct Kept {
    std::string id;
    client::Future* handle = nullptr;  // a count
    int64_t until_ns = 0;
  };

  void create(const ActorPtr& actor, rpc::OpenActorMessage message, const rpc::FunctionInfo& function,
              const rpc::ClassDefinition& what);
  void made(const ActorPtr& actor, Result<client::Future*> handle);
  void submit_ready(const ActorPtr& actor);
  void submit(client::Future* handle, Waiting& waiting);
  void over(const ActorPtr& actor, rpc::ActorStateMessage last);
  void let_go_if(const std::function<bool(const Kept&)>& condition);
  rpc::ActorStateMessage last_words(const Actor& actor, client::Future* handle, bool was_alive);
  ActorPtr find(uint64_t number);
  void end(const ActorPtr& actor, bool kill);
  Result<uint32_t> method_index(uint32_t function, const rpc::FunctionInfo& method);

  client::Client& client_;
  PeerLink& link_;
  Incoming& incoming_;
  const std::shared_ptr<client::EventQueue> changes_;
  const Events events_;
  std::map<uint32_t, uint32_t> methods_;  // the peer's numbers, and this job's here; the link's thread's alone

  std::mutex lock_;
  std::map<uint64_t, ActorPtr> actors_;
  std::vector<Kept> kept_;
};

}  // namespace sabir::gateway
