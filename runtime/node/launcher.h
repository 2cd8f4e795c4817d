// Starts worker processes: by zygotes where a language has one (a bare one at once, a second that warms up and takes
// over), by exec where not. Watches each until it has said hello; from then on the process table has it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/timer.h"
#include "runtime/node/guard.h"
#include "runtime/node/instructions.h"
#include "runtime/node/logs.h"
#include "runtime/node/spawn.h"
#include "runtime/node/zygote.h"
#include "runtime/rpc/session_types.h"

namespace sabir::node {

// A process that was started and said hello: once for each of its workers.
struct LaunchedProcess {
  pid_t pid = 0;
  SourceId source = 0;
};

class Launcher {
 public:
  struct Options {
    std::string session_path;
    std::optional<uint64_t> open_files_limit;  // of workers
    std::optional<int> oom_score_adj;
    // The warm zygote starts so long after the bare one is ready: its imports must not compete with the first call.
    int64_t warm_delay_ns = 300 * kMillisecondNs;
  };
  // It ended before its hello, or never began. Owed exactly once per launch id, unless claim() came first.
  using Failed = std::function<void(LaunchId launch, const std::string& text)>;

  // `guard` learns of every process group that begins and ends here.
  Launcher(loop::EventLoop& loop, Logs& logs, const Guard& guard, Logger logger, Options options, Failed failed);
  // Kills everything that it still has.
  ~Launcher();

  // The zygotes of its languages start at once, unless another job has them already.
  void add_job(JobNumber job, std::vector<rpc::LanguageEnv> environments);
  // Its zygotes end when no other job has them.
  void remove_job(JobNumber job);

  void launch(const LaunchWorker& request);
  // A worker that a process of ours makes by itself (the gateway): the token that it is to say hello with. `failed`
  // follows if it is forgotten.
  std::string expect(LaunchId launch, JobNumber job, pid_t host);
  // It is not expected any more, unless it has joined.
  void forget(LaunchId launch);

  // Kills the process; `failed` follows for all of its workers that have not said hello.
  void abort(LaunchId launch, const std::string& why);

  // Whom a hello with this token is from. `pid`: of the process that connected.
  std::optional<LaunchId> find(const std::string& token, pid_t pid) const;
  // Its hello was accepted: the launcher forgets it. The token is used up with the last worker of the process; from the
  // first on the process table has the process, and says when it is over.
  LaunchedProcess claim(LaunchId launch, pid_t pid);
  // A process that some of its workers have joined from: `failed` for the others. Returns why it was aborted, for those
  // that had joined; "": it was not.
  std::string process_over(pid_t pid, const std::string& text);

  // A child of ours that is known here; the reaper leaves it alone.
  bool knows(pid_t pid) const;
  // The reaper met a child that nobody knew: a worker may end before its zygote says that it was forked.
  void reaped(pid_t pid, int status);

  // Whose output this is, if the launcher still has it.
  std::optional<Logs::Origin> origin(SourceId source) const;
  size_t zygote_count() const;

 private:
  // The zygotes of one language environment, shared by the jobs that have it.
  struct Nursery {
    rpc::LanguageEnv environment;
    std::unique_ptr<Zygote> serving;  // the bare one, later the warm one
    std::unique_ptr<Zygote> warming;
    std::unique_ptr<Zygote> retired;  // forks what it still owes, then ends
    std::unique_ptr<loop::Timer> warm_timer;
    SourceId source = 0;          // output of the serving one ...
    SourceId warming_source = 0;  // ... and of the warming one
    uint32_t users = 0;
    bool warm_failed = false;
  };
  // Under the id of its next worker.
  struct Launch {
    JobNumber job = 0;
    std::vector<LaunchId> more;  // the ids of those after it, in order
    bool joined = false;         // a worker has said hello: nobody else's child any more
    std::string token;
    Nursery* nursery = nullptr;  // whose zygote has not said yet whether it forked
    SourceId source = 0;
    pid_t pid = 0;   // 0: not known yet
    pid_t host = 0;  // set: it is no process of its own, but joins from this one
    UniqueFd pidfd;
    std::unique_ptr<loop::FdWatcher> watcher;  // after the pidfd: it goes first
    std::string why;                           // set: it is to die, and this is what to say
    bool over = false;                         // told as failed; remembered because it may still be forked
  };
  using EnvironmentKey = std::pair<JobNumber, Language>;
  using Variables = std::vector<std::pair<std::string, std::string>>;

  // --- launcher.cc
  std::map<LaunchId, Launch>::iterator find_launch(LaunchId id);
  Nursery* find_nursery(const rpc::LanguageEnv& environment);
  Result<void> exec(Launch& launch, LaunchId id, const rpc::LanguageEnv& environment, const Variables& variables,
                    Logs::WriteEnds& ends);
  Result<void> fork(Launch& launch, Nursery& nursery, const Variables& variables, Logs::WriteEnds& ends);
  Result<void> watch(Launch& launch, LaunchId id);
  void forked(const std::string& token, pid_t pid);
  void process_ended(LaunchId id);
  void fail(LaunchId id, const std::string& text);
  void fail_later(LaunchId id, std::string text);
  void report_failures();
  std::string with_output(const std::string& text, SourceId source);
  // --- nursery.cc
  Result<std::unique_ptr<Zygote>> start_zygote(Nursery& nursery, SourceId& source);
  Result<void> ensure_serving(Nursery& nursery);
  void zygote_ready(Nursery& nursery, Zygote* zygote, bool warm);
  void start_warming(Nursery& nursery);
  void take_over(Nursery& nursery);
  void end_retired(Nursery& nursery);
  void fork_failed(const std::string& token, const std::string& error);
  void zygote_ended(Nursery& nursery, Zygote* zygote, const std::string& how);
  void stop(Nursery& nursery);

  loop::EventLoop& loop_;
  Logs& logs_;
  const Guard& guard_;
  Logger logger_;
  const Options options_;
  const Failed failed_;
  loop::Timer late_failures_;
  std::vector<std::pair<LaunchId, std::string>> failures_;
  std::vector<std::unique_ptr<Nursery>> nurseries_;
  std::map<EnvironmentKey, rpc::LanguageEnv> environments_;
  std::map<LaunchId, Launch> launches_;
  std::deque<std::pair<pid_t, int>> unknown_deaths_;  // a few, newest last
};

}  // namespace sabir::node
