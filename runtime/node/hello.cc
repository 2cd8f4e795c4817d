// How processes join the node and how their connections end.
#include <fcntl.h>

#include <algorithm>

#include "runtime/node/node_manager.h"
#include "runtime/rpc/release.h"
#include "runtime/shm/layout_hash.h"
#include "runtime/shm/stack.h"

namespace sabir::node {
namespace {

// Between the end of a worker's connection and SIGKILL.
constexpr int64_t kDisconnectGraceNs = 100 * kMillisecondNs;
// Between the end of a driver's connection and the end of its membership.
constexpr int64_t kDriverGraceNs = 5 * kSecondNs;

UniqueFd copy_of(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

}  // namespace

Result<void> NodeManager::check_hello(const rpc::HelloInfo& hello) const {
  if (stopping_) {
    return closed_error("this session is ending");
  }
  if (hello.kind != rpc::HelloKind::kObserver && hello.layout_hash != rpc::own_release().layout_hash) {
    return unsupported_error("this session runs sabird " + options_.version + " with another memory layout than " +
                             "libsabir " + hello.library + ": use the same release on both sides");
  }
  return {};
}

Result<rpc::WelcomeInfo> NodeManager::on_hello(rpc::HelloInfo hello, rpc::PeerCredentials peer) {
  SABIR_RETURN_IF_ERROR(check_hello(hello));
  switch (hello.kind) {
    case rpc::HelloKind::kDriver:
      return welcome_driver(std::move(hello), std::move(peer));
    case rpc::HelloKind::kWorker:
      return welcome_worker(hello, std::move(peer));
    case rpc::HelloKind::kObserver:
      return common_welcome();
  }
  return invalid_error("unknown kind of hello");
}

rpc::WelcomeInfo NodeManager::common_welcome() const {
  rpc::WelcomeInfo welcome;
  welcome.session_id = std::string(session_id_.view());
  welcome.node_id = std::string(node_id_.view());
  welcome.session_path = options_.session_path;
  welcome.daemon_version = options_.version;
  return welcome;
}

rpc::WelcomeInfo NodeManager::welcome_to(const Process& process) {
  // Anybody may have scribbled over it; whoever comes next is not to suffer (T3).
  segments_.calls.header().magic = shm::kCallsMagic;
  segments_.calls.header().layout_hash = shm::kLayoutHash;
  rpc::WelcomeInfo welcome = common_welcome();
  const Job& job = jobs_.at(process.job);
  welcome.process = process.key;
  welcome.job = process.job;
  welcome.job_id = job.id;
  welcome.job_config = job.config;
  welcome.language = process.language;
  welcome.node_fd = copy_of(segments_.node_fd.get());
  welcome.calls_fd = copy_of(segments_.calls_fd.get());
  welcome.objects_fd = copy_of(segments_.objects_fd.get());
  welcome.daemon_doorbell_fd = copy_of(look_->bell_fd());
  return welcome;
}

Result<Process*> NodeManager::admit(shm::ProcessKind kind, rpc::PeerCredentials peer) {
  if (!peer.pidfd) {
    return disconnected_error("the process has ended already");
  }
  SABIR_ASSIGN_OR_RETURN(Process * process, processes_.add(kind, peer.pid, std::move(peer.pidfd)));
  shm::SlotIndex slot = process->key.slot;
  Result<std::unique_ptr<loop::FdWatcher>> watcher =
      loop::FdWatcher::create(loop_, process->pidfd.get(), [this, slot](uint32_t) { process_ended(slot); });
  if (!watcher.ok()) {
    dismiss(*process);
    return std::move(watcher).error();
  }
  process->watcher = std::move(*watcher);
  return process;
}

// Nobody was told of its slot yet: it may be used again at once.
void NodeManager::dismiss(Process& process) {
  shm::SlotIndex slot = process.key.slot;
  processes_.take_out(slot);
  processes_.release(slot);
}

Result<rpc::WelcomeInfo> NodeManager::welcome_driver(rpc::HelloInfo hello, rpc::PeerCredentials peer) {
  pid_t pid = peer.pid;
  if (!hello.job.id.empty()) {
    if (!is_gateway(pid) || hello.job.id.size() != IdBits::kSizeBytes) {
      return invalid_error("a driver does not choose the id of its job");
    }
    if (std::optional<JobNumber> known = find_job(hello.job.id)) {
      return welcome_guest(*known, std::move(peer));
    }
  }
  SABIR_ASSIGN_OR_RETURN(Process * process, admit(shm::ProcessKind::kDriver, std::move(peer)));
  control::JobRecord record;
  record.id = hello.job.id.empty() ? std::string(IdBits::random().view()) : hello.job.id;
  record.name = hello.job.name;
  record.name_space = hello.job.name_space;
  record.driver_pid = static_cast<uint32_t>(pid);
  Result<uint32_t> number = control_.jobs().add(record);
  if (!number.ok()) {
    dismiss(*process);
    return std::move(number).error();
  }
  process->job = *number;
  process->language = hello.job.language;
  Job& job = jobs_[*number];
  job.id = record.id;
  job.config = std::move(hello.job);
  job.config.name_space = control_.jobs().find(*number)->name_space;
  if (!is_gateway(pid)) {
    job.config.driver_node = std::string(node_id_.view());
  }
  job.driver = process->key;
  if (options_.owner_pid == pid && !owner_) {
    owner_ = process->key;
  }
  std::vector<Language> languages;
  for (const rpc::LanguageEnv& environment : job.config.language_envs) {
    languages.push_back(environment.language);
  }
  coordinator_.add_job(*number, languages);
  for (const rpc::LanguageEnv& environment : job.config.language_envs) {
    coordinator_.set_slots_per_process(*number, environment.language, environment.slots_per_process);
  }
  launcher_->add_job(*number, job.config.language_envs);
  if (!languages.empty()) {
    coordinator_.prestart(*number, languages.front(), 1);
  }
  deaths_->welcome(process->key.slot);
  processes_.publish(*process);
  process->watcher->watch(loop::kReadable);
  logger_.info("driver ", pid, " joined as job ", *number);
  if (cluster_ && !is_gateway(pid)) {
    cluster_->job_started({.id = job.id,
                           .name = job.config.name,
                           .name_space = job.config.name_space,
                           .driver_pid = static_cast<uint32_t>(pid)});
  }
  settle();
  return welcome_to(*process);
}

Result<rpc::WelcomeInfo> NodeManager::welcome_worker(const rpc::HelloInfo& hello, rpc::PeerCredentials peer) {
  pid_t pid = peer.pid;
  std::optional<LaunchId> launch = launcher_->find(hello.token, pid);
  if (launch && relay_launches_.contains(*launch)) {
    return welcome_relay(*launch, std::move(peer));
  }
  std::optional<WorkerPool::LaunchView> view =
      launch ? coordinator_.pool().launch(*launch) : std::optional<WorkerPool::LaunchView>();
  if (!view || !jobs_.contains(view->job)) {
    return not_found_error("no worker with this token is expected");
  }
  SABIR_ASSIGN_OR_RETURN(Process * process, admit(shm::ProcessKind::kWorker, std::move(peer)));
  shm::SlotIndex slot = process->key.slot;
  process->job = view->job;
  process->language = view->language;
  process->actor = view->actor;
  if (view->actor) {
    shm::inbox(segments_.calls, slot).open();
  }
  // From here on a death is this table's business and no more the launcher's.
  process->output = launcher_->claim(*launch, pid).source;
  options_.guard.add(pid);
  deaths_->welcome(slot);
  processes_.publish(*process);
  process->watcher->watch(loop::kReadable);
  if (!coordinator_.worker_ready(*launch, slot, directory_.lease_epoch(slot))) {
    settle();  // a KillWorker for it is among the instructions
    return cancelled_error("this worker is not needed any more");
  }
  rpc::WelcomeInfo welcome = welcome_to(*process);
  if (view->actor) {
    std::optional<Actors::View> actor = coordinator_.actors().view(*view->actor);
    directory_.set_gpus(slot, actor ? actor->gpu_mask : 0);
    if (actor) {
      welcome.actor = hosted_actor(*actor);
    }
  }
  logger_.debug("worker ", pid, " joined job ", view->job);
  settle();
  return welcome;
}

void NodeManager::on_ready(rpc::ProcessKey key, std::shared_ptr<rpc::NoticeSink> notices) {
  if (Process* process = processes_.find(key)) {
    process->notices = std::move(notices);
    logs_->flush(process->job);
  }
}

void NodeManager::on_disconnect(rpc::ProcessKey key) {
  Process* process = processes_.find(key);
  if (process == nullptr || stopping_) {
    return;
  }
  process->connected = false;
  process->notices.reset();
  objects_->cancel_requests(process->id());
  if (process->relay) {
    // The gateway closes it when it touches nothing of it any more; else the whole gateway ends (kill()).
    relay_gone(*process);
    return;
  }
  if (process->is_worker()) {
    if (!process->leaving) {
      expect_end(key, kDisconnectGraceNs);  // most often it is ending, and its own end says more than ours
    }
    return;
  }
  if (process->leaving) {
    // It promised to touch nothing of the session any more: as good as dead, though its program goes on.
    publish_death(*process, 0, shm::DeathReason::kDisconnected, "it left the session");
    return;
  }
  if (process->guest) {
    publish_death(*process, 0, shm::DeathReason::kDisconnected, "it left the session");
    return;
  }
  end_job(process->job, "its driver closed its connection");
  expect_end(key, kDriverGraceNs);
  look_->now();
  if (owner_ == key) {
    stop_node("the driver that started it closed its connection");
  }
}

void NodeManager::expect_end(rpc::ProcessKey key, int64_t grace_ns) {
  disconnected_.emplace(clock_.now_ns() + grace_ns, key);
  plan_disconnected();
}

void NodeManager::plan_disconnected() {
  if (!disconnected_.empty()) {
    disconnected_timer_.start_once(std::max(kMillisecondNs, disconnected_.begin()->first - clock_.now_ns()));
  }
}

void NodeManager::end_disconnected() {
  while (!disconnected_.empty() && disconnected_.begin()->first <= clock_.now_ns()) {
    rpc::ProcessKey key = disconnected_.begin()->second;
    disconnected_.erase(disconnected_.begin());
    Process* process = processes_.find(key);
    if (process == nullptr) {
      continue;
    }
    if (process->relay || (is_gateway(process->pid) && process->connected)) {
      logger_.error("the gateway does not let go of a worker: it is killed");
      kill_process_group(process->pid, process->pidfd.get());
    } else if (process->is_worker()) {
      kill(*process, shm::DeathReason::kKilledByNode, "its connection to the node was closed");
    } else {
      // D1 with one exception: a driver is its user's program, and nobody kills that because it lost its session. Its
      // library uses nothing of the session once its connection is gone; it had time to notice.
      publish_death(*process, 0, shm::DeathReason::kDisconnected, "its connection to the node was closed");
    }
  }
  plan_disconnected();
}

}  // namespace sabir::node
