// The head's control store, as its sabird sees it: a process of its own, started again whenever it dies.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/node/guard.h"
#include "runtime/node/spawn.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/frame_pipe.h"

namespace sabir::node {

// On the loop's thread.
class ControlProcess {
 public:
  struct Options {
    std::string program;  // sabird itself
    std::string session_path;
    rpc::StartControl start;
    std::optional<int> oom_score_adj;
    // One that does not serve after so long hangs. Doubled with each that did not: a large file takes its time.
    int64_t start_within_ns = 30 * kSecondNs;
  };
  struct Events {
    std::function<void(const rpc::JoinAnswer&)> join_answered;
    std::function<void(rpc::NodeWords)> said;
    // It serves, for the first time.
    std::function<void()> ready;
    // It cannot be started, or another one has its file: no further start is tried.
    std::function<void(const std::string& why)> failed;
  };

  // All must outlive it.
  static Result<std::unique_ptr<ControlProcess>> create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                        const Guard& guard, Options options, Events events);
  ~ControlProcess();

  // Repeated at each life of it, until it is answered. At most kMaxJoins wait; more are forgotten, oldest first.
  void join(rpc::JoinRequest request);
  // Nothing is said to one that does not serve, or has kMaxSaidBytes to read: whoever wants an answer repeats it.
  void say(rpc::NodeWords words);
  // It does not answer: the next one may.
  void kill();

  static constexpr size_t kMaxJoins = 1024;
  static constexpr size_t kMaxSaidBytes = 64 << 20;

  bool serves() const { return serves_; }
  // Since it began to serve; 0: it does not.
  int64_t serves_for_ns() const { return serves_ ? clock_.now_ns() - serves_since_ns_ : 0; }
  pid_t pid() const { return process_.pid; }
  uint64_t restarts() const { return starts_ == 0 ? 0 : starts_ - 1; }
  uint64_t epoch() const { return epoch_; }
  // Why it does not serve, for people; empty if it does.
  const std::string& trouble() const { return trouble_; }

 private:
  ControlProcess(loop::EventLoop& loop, const Clock& clock, Logger logger, const Guard& guard, Options options,
                 Events events);
  Result<void> start();
  void receive(std::string_view bytes);
  void on_failed(const rpc::ControlFailed& failed);
  void on_end();
  void not_started(const std::string& why);
  void give_up(const std::string& why);

  loop::EventLoop& loop_;
  const Clock& clock_;
  Logger logger_;
  const Guard& guard_;
  Options options_;
  const Events events_;

  SpawnedProcess process_;
  std::unique_ptr<loop::FdWatcher> watcher_;
  std::unique_ptr<rpc::FramePipe> pipe_;
  bool serves_ = false;
  bool has_served_ = false;
  bool over_ = false;
  // Of the process that there is.
  bool process_ended_ = false;
  bool heard_end_ = false;
  int64_t serves_since_ns_ = 0;
  uint64_t starts_ = 0;
  uint64_t epoch_ = 0;
  uint32_t failures_ = 0;  // one after the other
  std::string trouble_ = "it has not started yet";
  std::map<uint64_t, rpc::JoinRequest> joins_;  // without an answer
  uint32_t hung_ = 0;                           // one after the other
  loop::Timer again_;
  loop::Timer start_limit_;
};

}  // namespace sabir::node
