// FakeHandler: a node without a node. Answers every call from what it was called with, and remembers the calls.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/rpc/session_handler.h"

namespace sabir::rpc {

// The handler's part runs on the loop's thread; what a test asks may be asked by any thread.
class FakeHandler final : public SessionHandler {
 public:
  FakeHandler();

  // "lend 0", "leave", ... in the order of their execution.
  std::vector<std::string> calls() const;
  size_t count(const std::string& call) const;
  size_t disconnects() const { return disconnects_; }
  size_t ready() const { return ready_; }
  uint32_t peer_pid() const { return peer_pid_; }

  // Before a call comes: its replies are kept instead of given, until release(). On the loop's thread.
  void hold() { holding_ = true; }
  void release();
  // The next hellos get this.
  void refuse_hellos(Error error);
  std::shared_ptr<NoticeSink> notices() const;

  Result<WelcomeInfo> on_hello(HelloInfo hello, PeerCredentials peer) override;
  void on_ready(ProcessKey process, std::shared_ptr<NoticeSink> notices) override;
  void on_disconnect(ProcessKey process) override;
  void lend(ProcessKey, LendKind kind, Reply<uint32_t> reply) override;
  void loan(ProcessKey, uint64_t size_bytes, int64_t wait_ns, Reply<LoanInfo> reply) override;
  void return_loan(ProcessKey, uint64_t offset, Reply<void> reply) override;
  void declare_class(ProcessKey, uint8_t language, std::vector<ResourceAmount> resources, Scheduling scheduling,
                     Reply<ClassInfo> reply) override;
  void export_function(ProcessKey, FunctionInfo function, Reply<uint32_t> reply) override;
  void fetch_function(ProcessKey, uint32_t index, Reply<FunctionInfo> reply) override;
  void create_actor(ProcessKey, ActorSpec spec, Reply<ActorInfo> reply) override;
  void start_actor(ProcessKey, uint32_t actor, std::string args, std::vector<EntryKey> refs,
                   Reply<void> reply) override;
  void fail_actor(ProcessKey, uint32_t actor, std::string message, std::string error, Reply<void> reply) override;
  void actor_started(ProcessKey, uint32_t actor, uint32_t incarnation, Reply<void> reply) override;
  void get_actor(ProcessKey, std::string name, std::string name_space, Reply<ActorInfo> reply) override;
  void describe_actor(ProcessKey, uint32_t actor, uint64_t generation, Reply<ActorDescription> reply) override;
  void kill_actor(ProcessKey, uint32_t actor, bool no_restart, Reply<void> reply) override;
  void leave(ProcessKey, std::string crash, Reply<void> reply) override;
  void kv_put(ProcessKey, std::string key, std::string value, bool overwrite, Reply<bool> reply) override;
  void kv_get(ProcessKey, std::string key, Reply<std::string> reply) override;
  void create_group(ProcessKey, GroupSpec spec, Reply<void> reply) override;
  void watch_group(ProcessKey, std::string id, Reply<bool> reply) override;
  void remove_group(ProcessKey, std::string id, Reply<void> reply) override;
  void find_groups(ProcessKey, GroupQuery query, Reply<std::string> reply) override;
  void kv_delete(ProcessKey, std::string key, Reply<bool> reply) override;
  void status(Reply<std::string> reply) override;
  void stop(ProcessKey, Reply<void> reply) override;
  void drain(std::string node, int64_t deadline_ns, Reply<std::string> reply) override;

  // What a driver's welcome carries: memfds whose only content is their own name.
  static const std::vector<std::string>& fd_names();

 private:
  void note(std::string call);
  // Gives the reply, now or at release().
  void answer(std::function<void()> reply);

  std::atomic<size_t> disconnects_{0};
  std::atomic<size_t> ready_{0};
  std::atomic<uint32_t> peer_pid_{0};
  std::atomic<bool> holding_{false};
  std::vector<std::function<void()>> held_;
  std::map<std::string, std::string> values_;
  std::vector<FunctionInfo> functions_;
  std::vector<GroupSpec> groups_;
  std::map<std::string, ActorInfo> actors_;
  uint32_t lent_ = 0;
  uint32_t incarnations_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::vector<std::string> calls_;
  std::shared_ptr<NoticeSink> notices_;
  std::optional<Error> refusal_;
};

}  // namespace sabir::rpc
