// The process's end of the control channel: a quiet thread (P2) that runs KJ on the socket. Every method may be called
// from any thread except the control thread itself.
#pragma once

#include <memory>
#include <optional>

#include "runtime/rpc/session_types.h"

namespace sabir::rpc {

// Called on the control thread: must not block and must not call the SessionClient.
class NoticeHandler {
 public:
  virtual ~NoticeHandler() = default;
  virtual void on_log(std::vector<LogLines> lines) = 0;
  virtual void on_warn(std::string text) = 0;
  virtual void on_collect() = 0;
  virtual void on_exit(std::string reason) = 0;
  virtual void on_group(std::string id, Result<void> outcome) = 0;
  virtual void on_objects(std::vector<ObjectChange> changes) = 0;
  // The connection is gone, by either side. Called once, last.
  virtual void on_disconnect() = 0;
};

class SessionClient {
 public:
  // Sends the hello on a connected Unix socket and reads the welcome, on the calling thread; no thread is started yet.
  static Result<std::unique_ptr<SessionClient>> handshake(UniqueFd socket, const HelloInfo& hello, int64_t timeout_ns);
  // Connects to PATH/node.sock first.
  static Result<std::unique_ptr<SessionClient>> connect(const std::string& session_path, const HelloInfo& hello,
                                                        int64_t timeout_ns);
  virtual ~SessionClient() = default;

  virtual WelcomeInfo& welcome() = 0;
  // Starts the control thread. `handler` must outlive this object.
  virtual Result<void> start(NoticeHandler* handler) = 0;
  // Closes the connection and joins the thread. Calls in flight end with kClosed. Idempotent.
  virtual void close() = 0;

  // All calls: kTimeout after timeout_ns, kDisconnected when the node is gone, kClosed after close().
  virtual Result<uint32_t> lend(LendKind kind, int64_t timeout_ns) = 0;
  virtual Result<LoanInfo> loan(uint64_t size_bytes, int64_t wait_ns, int64_t timeout_ns) = 0;
  virtual Result<void> return_loan(uint64_t offset, int64_t timeout_ns) = 0;
  virtual Result<ClassInfo> declare_class(uint8_t language, const std::vector<ResourceAmount>& resources,
                                          const Scheduling& scheduling, int64_t timeout_ns) = 0;
  virtual Result<uint32_t> export_function(const FunctionInfo& function, int64_t timeout_ns) = 0;
  virtual Result<FunctionInfo> fetch_function(uint32_t index, int64_t timeout_ns) = 0;
  virtual Result<ActorInfo> create_actor(const ActorSpec& spec, int64_t timeout_ns) = 0;
  virtual Result<ActorInfo> get_actor(const std::string& name, const std::string& name_space, int64_t timeout_ns) = 0;
  virtual Result<ActorDescription> describe_actor(uint32_t actor, uint64_t generation, int64_t timeout_ns) = 0;
  virtual Result<void> kill_actor(uint32_t actor, bool no_restart, int64_t timeout_ns) = 0;
  virtual Result<void> actor_started(uint32_t actor, uint32_t incarnation, int64_t timeout_ns) = 0;
  // `crash`: of a gateway's worker whose actor died on another node; else "".
  virtual Result<void> leave(std::string crash, int64_t timeout_ns) = 0;
  virtual Result<void> create_group(const GroupSpec& spec, int64_t timeout_ns) = 0;
  // Whether it is ready; if not, NoticeHandler::on_group() follows.
  virtual Result<bool> watch_group(const std::string& id, int64_t timeout_ns) = 0;
  virtual Result<void> remove_group(const std::string& id, int64_t timeout_ns) = 0;
  virtual Result<std::string> find_groups(const GroupQuery& query, int64_t timeout_ns) = 0;
  virtual Result<bool> kv_put(const std::string& key, const std::string& value, bool overwrite, int64_t timeout_ns) = 0;
  virtual Result<std::string> kv_get(const std::string& key, int64_t timeout_ns) = 0;
  virtual Result<bool> kv_delete(const std::string& key, int64_t timeout_ns) = 0;
  virtual Result<std::string> status(int64_t timeout_ns) = 0;
  virtual Result<void> stop(int64_t timeout_ns) = 0;
  virtual Result<std::string> drain(const std::string& node, int64_t deadline_ns, int64_t timeout_ns) = 0;
  // Posted, not waited for: they may be sent from the progress thread while it drains.
  virtual void post_start_actor(uint32_t actor, std::string args, std::vector<EntryKey> refs) = 0;
  virtual void post_fail_actor(uint32_t actor, std::string message, std::string error) = 0;
  virtual void post_return_loan(uint64_t offset) = 0;
};

}  // namespace sabir::rpc
