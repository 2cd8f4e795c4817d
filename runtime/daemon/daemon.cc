#include "runtime/daemon/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

#include "runtime/base/session_dir.h"
#include "runtime/base/version.h"
#include "runtime/daemon/bounded_log.h"
#include "runtime/head/head_state.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/fd_watcher.h"
#include "runtime/loop/signals.h"
#include "runtime/loop/timer.h"
#include "runtime/node/guard.h"
#include "runtime/node/node_manager.h"
#include "runtime/node/reaper.h"
#include "runtime/rpc/node_link/address.h"
#include "runtime/rpc/release.h"
#include "runtime/rpc/session_server.h"
#include "runtime/store/arena.h"

namespace sabir::daemon {
namespace {

constexpr rlim_t kWantedFiles = 65'536;
// The driver that started this node has so long to say hello.
constexpr int64_t kOwnerHelloNs = 20 * kSecondNs;
// What was answered last goes out before the connections are closed.
constexpr int64_t kFarewellNs = 30 * kMillisecondNs;
constexpr int64_t kKillAllNs = 5 * kSecondNs;
// A daemon is the last that a machine short of memory should lose, workers before other programs.
constexpr int kDaemonOomScore = -500;
constexpr int kWorkerOomScore = 500;

void set_oom_score(int score) {
  UniqueFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  std::string text = std::to_string(score);
  [[maybe_unused]] ssize_t written = ::write(file.get(), text.data(), text.size());  // best effort
}

// The soft limit as it was: programs started from here get it back.
uint64_t raise_open_files() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return 1024;
  }
  uint64_t before = limit.rlim_cur;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, kWantedFiles));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return before;
}

// What concerns the process as a whole. T5: nobody of the same user attaches to it or reads its memory.
uint64_t become_daemon() {
  set_oom_score(kDaemonOomScore);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::setsid();  // Ctrl-C in the driver's terminal is the driver's
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // a file above `ulimit -f`, also a memory file: an error with its reason, not the end
  return raise_open_files();
}

// Whoever started this may wait for the end of what it reads from there.
void let_go_of_terminal() {
  UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd <= 2; ++fd) {
    ::dup2(null.get(), fd);
  }
}

Result<pid_t> owner_of(int fd) {
  ucred credentials = {};
  socklen_t size_bytes = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size_bytes) != 0) {
    return Error::from_errno(errno, "--driver-fd " + std::to_string(fd) + " is no Unix socket");
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return credentials.pid;
}

std::string info_text(const SessionDir& directory, const node::NodeManager& manager) {
  nlohmann::json info = {{"session_id", manager.session_id().hex()},
                         {"path", directory.path()},
                         {"pid", ::getpid()},
                         {"version", std::string(kVersion)},
                         {"started_unix_s", std::time(nullptr)}};
  return info.dump() + "\n";
}

// The parts in the order of their making; they go the other way round.
class Daemon {
 public:
  Daemon(const Options& options, SessionDir directory, uint64_t worker_files, node::Guard guard)
      : options_(options), directory_(std::move(directory)), worker_files_(worker_files), guard_(std::move(guard)) {}

  Result<void> begin() {
    SABIR_RETURN_IF_ERROR(open_log());
    node::NodeOptions node;
    node.session_path = directory_.path();
    node.version = rpc::own_release().version;
    node.resources = options_.resources;
    node.cpu_count = usable_cpus();
    node.objects.store_bytes = options_.store_bytes;
    node.objects.make_arena = store::make_arena;
    node.coordinator.pool.warm_workers = std::max<uint32_t>(1, node.cpu_count);
    node.guard = std::move(guard_);
    node.launcher.open_files_limit = worker_files_;
    node.launcher.oom_score_adj = kWorkerOomScore;
    node.name = node_name();
    node.labels = options_.labels;
    if (options_.head || options_.join) {
      SABIR_ASSIGN_OR_RETURN(node.cluster, cluster_options());
    }
    if (options_.head) {
      SABIR_RETURN_IF_ERROR(open_head(node));
    }
    if (options_.driver_fd) {
      SABIR_ASSIGN_OR_RETURN(node.owner_pid, owner_of(*options_.driver_fd));
      SABIR_RETURN_IF_ERROR(watch_driver(*node.owner_pid));
      SABIR_RETURN_IF_ERROR(directory_.mark_private());
    }
    if (options_.caller_fd) {
      ::fcntl(*options_.caller_fd, F_SETFD, FD_CLOEXEC);
      SABIR_RETURN_IF_ERROR(watch_owner(UniqueFd(*options_.caller_fd)));
    }
    rpc::SessionServerOptions server;
    if (!options_.fault_plan.empty()) {
      SABIR_ASSIGN_OR_RETURN(server.fault_point, rpc::parse_fault_plan(options_.fault_plan));
    }
    SABIR_ASSIGN_OR_RETURN(manager_, node::NodeManager::create(loop_, clock_, logger_, std::move(node),
                                                               [this](const std::string& why) { stop(why); }));
    server_ = std::make_unique<rpc::SessionServer>(loop_, *manager_, logger_, std::move(server));
    SABIR_RETURN_IF_ERROR(server_->listen(directory_.path()));
    if (options_.driver_fd) {
      SABIR_RETURN_IF_ERROR(server_->adopt(UniqueFd(*options_.driver_fd)));
    }
    signals_ = std::make_unique<loop::Signals>(loop_, std::vector<int>{SIGTERM, SIGINT, SIGHUP},
                                               [this](int number) { stop("signal " + std::to_string(number)); });
    SABIR_RETURN_IF_ERROR(directory_.publish("info.json", info_text(directory_, *manager_)));
    in_cluster_ = options_.head || options_.join;
    if (!options_.foreground && !in_cluster_) {
      let_go_of_terminal();
    }
    return {};
  }

  void serve() { loop_.run(); }

  // Everything that this process started is gone when this returns.
  void end() {
    if (manager_) {
      manager_->say_goodbye(why_.empty() ? "the session ends" : why_);
    }
    if (server_) {
      server_->stop_listening();
      loop_.run_until([] { return false; }, kFarewellNs);
    }
    signals_.reset();
    server_.reset();
    manager_.reset();
    if (!node::kill_all_children(kKillAllNs)) {
      logger_.error("some processes of this session could not be ended");
    }
    logger_.info("ended: ", why_);
    directory_.remove();
  }

 private:
  std::string node_name() const {
    char host[256] = {};
    ::gethostname(host, sizeof(host) - 1);
    return options_.node_name.empty() ? host : options_.node_name;
  }

  Result<node::ClusterOptions> cluster_options() {
    node::ClusterOptions cluster;
    char buffer[4096] = {};
    [[maybe_unused]] ssize_t size = ::readlink("/proc/self/exe", buffer, sizeof(buffer) - 1);
    cluster.gateway_program = buffer;
    cluster.name = node_name();
    cluster.host = options_.node_host.empty() ? "127.0.0.1" : options_.node_host;
    cluster.port = options_.node_port;
    cluster.insecure = options_.insecure;
    cluster.visiting = options_.driver_fd.has_value();
    cluster.oom_score_adj = kDaemonOomScore;
    if (options_.join) {
      cluster.join_string = std::getenv("SABIR_JOIN");
      ::unsetenv("SABIR_JOIN");  // workers need not know
      if (options_.node_host.empty()) {
        SABIR_ASSIGN_OR_RETURN(node_link::JoinString join, node_link::JoinString::parse(cluster.join_string));
        SABIR_ASSIGN_OR_RETURN(cluster.host, node_link::own_address_towards(join.address));
      }
    }
    cluster.ready = [this](const rpc::NodeAddress& reached_at, const std::string& join_string) {
      std::string address = reached_at.host + ":" + std::to_string(reached_at.port);
      nlohmann::json facts = {{"address", address}, {"join_string", join_string}};
      if (head_ && (head_->port != reached_at.port || !head_->control_served)) {
        head_->port = reached_at.port;
        head_->control_served = true;
        if (Result<void> saved = head_->save(); !saved.ok()) {
          logger_.error("a head that is started again will not find all of its state: ", saved.error().to_string());
        }
      }
      if (Result<void> written = directory_.publish("cluster.json", facts.dump() + "\n"); !written.ok()) {
        logger_.error(written.error().to_string());
      }
      logger_.info("member of a cluster, reached at ", address);
      if (std::exchange(in_cluster_, false) && !options_.foreground) {
        let_go_of_terminal();  // until now it heard why this node could not become a member
      }
    };
    return cluster;
  }

  Result<void> open_head(node::NodeOptions& node) {
    SABIR_ASSIGN_OR_RETURN(head::HeadState opened, head::HeadState::open(options_.state_dir));
    head_.emplace(std::move(opened));
    int64_t now_unix_ms = static_cast<int64_t>(std::time(nullptr)) * 1000;
    if (options_.join_life_ms != 0 || head_->token_life_ns(now_unix_ms) == 0) {
      head_->renew_token(options_.join_life_ms != 0 ? options_.join_life_ms * kMillisecondNs : -1, now_unix_ms);
      SABIR_RETURN_IF_ERROR(head_->save());
    }
    node.node_id = head_->node_id();
    if (node.cluster->port == 0) {
      node.cluster->port = head_->port;
    }
    node.cluster->head = node::HeadOptions{.state_dir = head_->directory(),
                                           .cluster_id = std::string(head_->cluster_id().view()),
                                           .token = head_->token(),
                                           .token_life_ns = head_->token_life_ns(now_unix_ms),
                                           .durable = options_.durable,
                                           .must_exist = head_->control_served};
    return {};
  }

  Result<void> open_log() {
    if (options_.foreground) {
      logger_ = Logger(2, options_.log_level, "sabird");
      return {};
    }
    SABIR_ASSIGN_OR_RETURN(log_, BoundedLog::open(loop_, directory_.logs_path() + "/sabird.log"));
    logger_ = Logger(log_->fd(), options_.log_level, "sabird");
    return {};
  }

  // The node ends with the process of the pidfd.
  Result<void> watch_owner(UniqueFd pidfd) {
    owner_ = std::move(pidfd);
    SABIR_ASSIGN_OR_RETURN(owner_watcher_, loop::FdWatcher::create(loop_, owner_.get(), [this](uint32_t) {
                             owner_watcher_->watch(0);
                             stop("the process that started it is gone");
                           }));
    owner_watcher_->watch(loop::kReadable);
    return {};
  }

  // It may end, or never say hello, before its connection tells anything.
  Result<void> watch_driver(pid_t pid) {
    UniqueFd pidfd = node::open_pidfd(pid);
    if (!pidfd) {
      return Error::from_errno(errno, "the process that starts this node is gone");
    }
    SABIR_RETURN_IF_ERROR(watch_owner(std::move(pidfd)));
    owner_timer_ = std::make_unique<loop::Timer>(loop_, [this] {
      if (!manager_->has_owner()) {
        stop("the process that started it did not say hello");
      }
    });
    owner_timer_->start_once(kOwnerHelloNs);
    return {};
  }

  void stop(const std::string& why) {
    if (why_.empty()) {
      why_ = why;
      logger_.info("ending: ", why);
      if (in_cluster_) {
        std::fprintf(stderr, "sabird: %s\n", why.c_str());
      }
    }
    loop_.stop();
  }

  const Options& options_;
  SessionDir directory_;
  const uint64_t worker_files_;
  node::Guard guard_;
  std::optional<head::HeadState> head_;
  std::string why_;
  bool in_cluster_ = false;  // and not a member yet
  Logger logger_;
  SteadyClock clock_;
  loop::EventLoop loop_;
  std::unique_ptr<BoundedLog> log_;
  UniqueFd owner_;
  std::unique_ptr<loop::FdWatcher> owner_watcher_;
  std::unique_ptr<loop::Timer> owner_timer_;
  std::unique_ptr<node::NodeManager> manager_;
  std::unique_ptr<rpc::SessionServer> server_;
  std::unique_ptr<loop::Signals> signals_;
};

}  // namespace

int run(const Options& options) {
  uint64_t worker_files = become_daemon();
  Result<node::Guard> guard = node::Guard::start();
  if (!guard.ok()) {
    std::fprintf(stderr, "sabird: %s\n", guard.error().to_string().c_str());
    return 1;
  }
  if (size_t slash = options.session_dir.find_last_of('/'); slash != std::string::npos && slash != 0) {
    remove_stale_sessions(options.session_dir.substr(0, slash));
  }
  Result<SessionDir> directory = SessionDir::create(options.session_dir);
  if (!directory.ok()) {
    std::fprintf(stderr, "sabird: %s\n", directory.error().to_string().c_str());
    return 1;
  }
  Daemon daemon(options, std::move(*directory), worker_files, std::move(*guard));
  Result<void> begun = daemon.begin();
  if (begun.ok()) {
    daemon.serve();
  } else {
    std::fprintf(stderr, "sabird: %s\n", begun.error().to_string().c_str());
  }
  daemon.end();
  return begun.ok() ? 0 : 1;
}

}  // namespace sabir::daemon
