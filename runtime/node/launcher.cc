#include "runtime/node/launcher.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "runtime/base/ids.h"

namespace sabir::node {
namespace {

constexpr size_t kUnknownDeathsKept = 64;

std::string gpu_list(uint64_t mask) {
  std::string text;
  for (int index = 0; index < 64; ++index) {
    if ((mask >> index) & 1) {
      text += (text.empty() ? "" : ",") + std::to_string(index);
    }
  }
  return text;
}

}  // namespace

Launcher::Launcher(loop::EventLoop& loop, Logs& logs, const Guard& guard, Logger logger, Options options, Failed failed)
    : loop_(loop),
      logs_(logs),
      guard_(guard),
      logger_(std::move(logger)),
      options_(std::move(options)),
      failed_(std::move(failed)),
      late_failures_(loop, [this] { report_failures(); }) {}

Launcher::~Launcher() {
  for (auto& [id, launch] : launches_) {
    if (launch.pid != 0) {
      launch.watcher.reset();
      kill_process_group(launch.pid, launch.pidfd.get());
      ::waitpid(launch.pid, nullptr, 0);
    }
  }
}

void Launcher::add_job(JobNumber job, std::vector<rpc::LanguageEnv> environments) {
  for (rpc::LanguageEnv& environment : environments) {
    if (environment.mode == rpc::LaunchMode::kZygote) {
      Nursery* nursery = find_nursery(environment);
      if (nursery == nullptr) {
        nurseries_.push_back(std::make_unique<Nursery>());
        nursery = nurseries_.back().get();
        nursery->environment = environment;
        if (Result<void> started = ensure_serving(*nursery); !started.ok()) {
          logger_.warning("zygote did not start: ", started.error().to_string());
        }
      }
      ++nursery->users;
    }
    EnvironmentKey key{job, environment.language};
    environments_.emplace(key, std::move(environment));
  }
}

void Launcher::remove_job(JobNumber job) {
  for (auto entry = environments_.lower_bound({job, 0}); entry != environments_.end() && entry->first.first == job;) {
    if (Nursery* nursery = find_nursery(entry->second); nursery != nullptr && --nursery->users == 0) {
      stop(*nursery);
    }
    entry = environments_.erase(entry);
  }
}

Launcher::Nursery* Launcher::find_nursery(const rpc::LanguageEnv& environment) {
  auto found = std::find_if(nurseries_.begin(), nurseries_.end(),
                            [&](const auto& nursery) { return nursery->environment == environment; });
  return found == nurseries_.end() || environment.mode != rpc::LaunchMode::kZygote ? nullptr : found->get();
}

void Launcher::launch(const LaunchWorker& request) {
  Launch& launch = launches_[request.launch];
  launch.job = request.job;
  launch.more = request.more;
  launch.token = IdBits::random().hex();
  auto environment = environments_.find({request.job, request.language});
  if (environment == environments_.end()) {
    fail_later(request.launch,
               "the job brought no way to start workers of language " + std::to_string(request.language));
    return;
  }
  Result<Logs::WriteEnds> ends = logs_.open_source();
  if (!ends.ok()) {
    fail_later(request.launch, ends.error().to_string());
    return;
  }
  launch.source = ends->source;
  // Always all of them: this node may be a descendant of another session's worker, and has its variables.
  Variables variables = {{"SABIR_SESSION", options_.session_path},
                         {"SABIR_WORKER_TOKEN", launch.token},
                         {"SABIR_WORKER_SLOTS", std::to_string(launch.more.size() + 1)}};
  if (request.gpu_mask != 0) {
    variables.emplace_back("CUDA_VISIBLE_DEVICES", gpu_list(request.gpu_mask));
  }
  Nursery* nursery = find_nursery(environment->second);
  Result<void> begun = nursery != nullptr ? fork(launch, *nursery, variables, *ends)
                                          : exec(launch, request.launch, environment->second, variables, *ends);
  if (!begun.ok()) {
    fail_later(request.launch, begun.error().to_string());
  }
}

Result<void> Launcher::exec(Launch& launch, LaunchId id, const rpc::LanguageEnv& environment,
                            const Variables& variables, Logs::WriteEnds& ends) {
  SpawnRequest request;
  request.argv = environment.argv;
  request.environment = variables;
  request.output_fd = ends.output.get();
  request.error_fd = ends.error.get();
  request.open_files_limit = options_.open_files_limit;
  request.oom_score_adj = options_.oom_score_adj;
  SABIR_ASSIGN_OR_RETURN(SpawnedProcess process, spawn(request));
  launch.pid = process.pid;
  launch.pidfd = std::move(process.pidfd);
  return watch(launch, id);
}

Result<void> Launcher::fork(Launch& launch, Nursery& nursery, const Variables& variables, Logs::WriteEnds& ends) {
  SABIR_RETURN_IF_ERROR(ensure_serving(nursery));
  launch.nursery = &nursery;
  nursery.serving->fork(
      {launch.token, options_.session_path, variables, std::move(ends.output), std::move(ends.error)});
  return {};
}

Result<void> Launcher::watch(Launch& launch, LaunchId id) {
  guard_.add(launch.pid);
  SABIR_ASSIGN_OR_RETURN(
      launch.watcher, loop::FdWatcher::create(loop_, launch.pidfd.get(), [this, id](uint32_t) { process_ended(id); }));
  launch.watcher->watch(loop::kReadable);
  return {};
}

std::string Launcher::expect(LaunchId id, JobNumber job, pid_t host) {
  Launch& launch = launches_[id];
  launch.job = job;
  launch.token = IdBits::random().hex();
  launch.host = host;
  return launch.token;
}

void Launcher::forget(LaunchId id) { launches_.erase(id); }

std::map<LaunchId, Launcher::Launch>::iterator Launcher::find_launch(LaunchId id) {
  return std::find_if(launches_.begin(), launches_.end(), [&](const auto& entry) {
    const std::vector<LaunchId>& more = entry.second.more;
    return entry.first == id || std::find(more.begin(), more.end(), id) != more.end();
  });
}

void Launcher::abort(LaunchId id, const std::string& why) {
  auto found = find_launch(id);
  if (found == launches_.end() || found->second.over) {
    return;
  }
  Launch& launch = found->second;
  launch.why = why;
  if (launch.pid != 0) {
    kill_process_group(launch.pid, launch.pidfd.get());
  } else {
    // A zygote that hangs may never answer: what it yet forks under this token is killed when it says so.
    fail_later(found->first, why);
  }
}

std::optional<LaunchId> Launcher::find(const std::string& token, pid_t pid) const {
  for (const auto& [id, launch] : launches_) {
    pid_t wanted = launch.host != 0 ? launch.host : launch.pid;
    if (launch.token == token && !launch.over && launch.why.empty() && (wanted == 0 || wanted == pid)) {
      return id;
    }
  }
  return std::nullopt;
}

LaunchedProcess Launcher::claim(LaunchId id, pid_t pid) {
  auto node = launches_.extract(id);
  SABIR_CHECK(!node.empty() && !node.mapped().over, "launch=", id);
  Launch& launch = node.mapped();
  LaunchedProcess process{pid, launch.source};
  if (!launch.more.empty()) {
    launch.joined = true;
    launch.watcher.reset();
    node.key() = launch.more.front();
    launch.more.erase(launch.more.begin());
    launches_.insert(std::move(node));
  }
  return process;
}

std::string Launcher::process_over(pid_t pid, const std::string& text) {
  auto found = std::find_if(launches_.begin(), launches_.end(),
                            [&](const auto& entry) { return entry.second.joined && entry.second.pid == pid; });
  if (found == launches_.end()) {
    return "";
  }
  std::string why = found->second.why;
  fail(found->first, text + " before all of its workers had joined the session");
  return why;
}

bool Launcher::knows(pid_t pid) const {
  bool launched =
      std::any_of(launches_.begin(), launches_.end(), [&](const auto& entry) { return entry.second.pid == pid; });
  return launched || std::any_of(nurseries_.begin(), nurseries_.end(), [&](const auto& nursery) {
           auto is = [&](const std::unique_ptr<Zygote>& zygote) { return zygote && zygote->pid() == pid; };
           return is(nursery->serving) || is(nursery->warming) || is(nursery->retired);
         });
}

void Launcher::reaped(pid_t pid, int status) {
  if (unknown_deaths_.size() >= kUnknownDeathsKept) {
    unknown_deaths_.pop_front();
  }
  unknown_deaths_.emplace_back(pid, status);
}

std::optional<Logs::Origin> Launcher::origin(SourceId source) const {
  for (const auto& [id, launch] : launches_) {
    if (launch.source == source) {
      return Logs::Origin{static_cast<uint32_t>(launch.pid), launch.job, ""};
    }
  }
  for (const auto& nursery : nurseries_) {
    if (nursery->source == source || nursery->warming_source == source) {
      const auto& zygote = nursery->source == source ? nursery->serving : nursery->warming;
      return Logs::Origin{zygote ? static_cast<uint32_t>(zygote->pid()) : 0, 0, "zygote"};
    }
  }
  return std::nullopt;
}

void Launcher::forked(const std::string& token, pid_t pid) {
  auto found =
      std::find_if(launches_.begin(), launches_.end(), [&](const auto& entry) { return entry.second.token == token; });
  if (found == launches_.end() || found->second.pid != 0) {
    return;  // it has said hello already
  }
  auto& [id, launch] = *found;
  launch.nursery = nullptr;
  auto death = std::find_if(unknown_deaths_.rbegin(), unknown_deaths_.rend(),
                            [&](const auto& entry) { return entry.first == pid; });
  if (death != unknown_deaths_.rend()) {
    fail(id, describe_wait_status(death->second) + " before it joined the session");
    return;
  }
  launch.pid = pid;
  launch.pidfd = open_pidfd(pid);
  if (!launch.pidfd) {
    fail(id, "ended before it joined the session");
    return;
  }
  if (launch.over || !launch.why.empty()) {
    kill_process_group(pid, launch.pidfd.get());
  }
  if (Result<void> watched = watch(launch, id); !watched.ok()) {
    kill_process_group(pid, launch.pidfd.get());
    fail(id, watched.error().to_string());
  }
}

void Launcher::process_ended(LaunchId id) {
  auto found = launches_.find(id);
  if (found == launches_.end()) {
    return;
  }
  Launch& launch = found->second;
  launch.watcher.reset();
  kill_process_group(launch.pid, launch.pidfd.get());  // what it left in its group
  guard_.remove(launch.pid);
  std::optional<int> status = reap(launch.pid);
  fail(id, !launch.why.empty()
               ? launch.why
               : (status ? describe_wait_status(*status) : std::string("ended")) + " before it joined the session");
}

void Launcher::fail(LaunchId id, const std::string& text) {
  auto found = launches_.find(id);
  if (found == launches_.end()) {
    return;
  }
  Launch launch = std::move(found->second);
  launches_.erase(found);
  launch.watcher.reset();
  std::string full = launch.source != 0 ? with_output(text, launch.source) : text;
  if (launch.source != 0 && !launch.joined) {
    logs_.close_source(launch.source);
  }
  if (!launch.over) {
    failed_(id, full);
    for (LaunchId other : launch.more) {
      failed_(other, full);
    }
  }
}

// The caller is in the middle of something: the failure is told from the loop.
void Launcher::fail_later(LaunchId id, std::string text) {
  failures_.emplace_back(id, std::move(text));
  late_failures_.start_once(0);
}

void Launcher::report_failures() {
  auto failures = std::exchange(failures_, {});
  for (auto& [id, text] : failures) {
    auto found = launches_.find(id);
    if (found == launches_.end() || found->second.over) {
      continue;
    }
    Launch& launch = found->second;
    if (launch.nursery != nullptr && launch.pid == 0) {
      // Its zygote may still fork it: remembered until then.
      launch.over = true;
      failed_(id, text);
    } else if (launch.pid != 0) {
      launch.why = text;
      kill_process_group(launch.pid, launch.pidfd.get());
      process_ended(id);
    } else {
      fail(id, text);
    }
  }
}

std::string Launcher::with_output(const std::string& text, SourceId source) {
  std::string tail = logs_.tail(source);
  return tail.empty() ? text : text + "; its last output:\n" + tail;
}

}  // namespace sabir::node
