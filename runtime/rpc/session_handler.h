// What serves the control channel at sabird's side: node/ implements it, rpc/ calls it, always on the loop's thread.
#pragma once

#include <functional>
#include <memory>

#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

// Answers one call, once, now or later. Answering after the connection is gone is harmless.
template <typename T>
using Reply = std::function<void(Result<T>)>;

struct PeerCredentials {
  uint32_t uid = 0;
  int32_t pid = 0;
  UniqueFd pidfd;  // of the process that connected (SO_PEERPIDFD, else pidfd_open while the connection stands)
};

// How sabird speaks to a process first. Held by the handler until on_disconnect for that process.
class NoticeSink {
 public:
  virtual ~NoticeSink() = default;
  // False: a log call is still in flight; keep the lines or drop them.
  virtual bool log(std::vector<LogLines> lines) = 0;
  virtual void warn(std::string text) = 0;
  virtual void collect() = 0;
  virtual void exit(std::string reason) = 0;
  // What watch_group() said is not ready has come to an end.
  virtual void group(std::string id, Result<void> outcome) = 0;
  virtual void objects(std::vector<ObjectChange> changes) = 0;
  // Closes the connection (a violation, a job that is over).
  virtual void close() = 0;
};

// Deduplication by request id is done by rpc/: a handler sees each mutating request of a process once. A Reply that is
// dropped unused answers with kInternal.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;

  // Checks the layout hash and gives the process a slot; the protocol's version is agreed on by rpc/. A welcome (but an
  // observer's) has all four descriptors. Observers get slot 0 and no segments; there is no on_ready and no
  // on_disconnect for them, and the only calls with their ProcessKey are kv_put, kv_get, kv_delete, stop
  // and drain.
  virtual Result<WelcomeInfo> on_hello(HelloInfo hello, PeerCredentials peer) = 0;
  // The welcome is with the process, its calls begin. Left out if the connection broke before.
  virtual void on_ready(ProcessKey process, std::shared_ptr<NoticeSink> notices) = 0;
  // The connection is gone: once for each process that on_hello accepted. Not yet a death (D1).
  virtual void on_disconnect(ProcessKey process) = 0;

  virtual void lend(ProcessKey, LendKind, Reply<uint32_t>) = 0;
  virtual void loan(ProcessKey, uint64_t size_bytes, int64_t wait_ns, Reply<LoanInfo>) = 0;
  virtual void return_loan(ProcessKey, uint64_t offset, Reply<void>) = 0;
  virtual void declare_class(ProcessKey, uint8_t language, std::vector<ResourceAmount>, Scheduling,
                             Reply<ClassInfo>) = 0;
  virtual void export_function(ProcessKey, FunctionInfo, Reply<uint32_t>) = 0;
  virtual void fetch_function(ProcessKey, uint32_t index, Reply<FunctionInfo>) = 0;
  virtual void create_actor(ProcessKey, ActorSpec, Reply<ActorInfo>) = 0;
  virtual void start_actor(ProcessKey, uint32_t actor, std::string args, std::vector<EntryKey> refs, Reply<void>) = 0;
  virtual void fail_actor(ProcessKey, uint32_t actor, std::string message, std::string error, Reply<void>) = 0;
  virtual void actor_started(ProcessKey, uint32_t actor, uint32_t incarnation, Reply<void>) = 0;
  virtual void get_actor(ProcessKey, std::string name, std::string name_space, Reply<ActorInfo>) = 0;
  virtual void describe_actor(ProcessKey, uint32_t actor, uint64_t generation, Reply<ActorDescription>) = 0;
  virtual void kill_actor(ProcessKey, uint32_t actor, bool no_restart, Reply<void>) = 0;
  virtual void leave(ProcessKey, std::string crash, Reply<void>) = 0;
  virtual void create_group(ProcessKey, GroupSpec, Reply<void>) = 0;
  // Whether it is ready; if not, NoticeSink::group() follows.
  virtual void watch_group(ProcessKey, std::string id, Reply<bool>) = 0;
  virtual void remove_group(ProcessKey, std::string id, Reply<void>) = 0;
  virtual void find_groups(ProcessKey, GroupQuery, Reply<std::string> json) = 0;
  virtual void kv_put(ProcessKey, std::string key, std::string value, bool overwrite, Reply<bool>) = 0;
  virtual void kv_get(ProcessKey, std::string key, Reply<std::string>) = 0;  // kNotFound
  virtual void kv_delete(ProcessKey, std::string key, Reply<bool>) = 0;
  virtual void status(Reply<std::string>) = 0;
  virtual void stop(ProcessKey, Reply<void>) = 0;
  // A node of the cluster; -1: no deadline. The answer is its whole id.
  virtual void drain(std::string node, int64_t deadline_ns, Reply<std::string>) = 0;
};

}  // namespace sabir::rpc
