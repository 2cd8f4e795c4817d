#include "runtime/node/node_manager.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "runtime/shm/fence.h"

namespace sabir::node {
namespace {

// A relay that was told to leave; then the gateway is killed.
constexpr int64_t kRelayGraceNs = 10 * kSecondNs;

// A timer that starts itself again must let the rest of the loop have its turn, whatever it is told.

}  // namespace

Result<std::unique_ptr<NodeManager>> NodeManager::create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                         NodeOptions options,
                                                         std::function<void(const std::string&)> on_stop) {
  SABIR_ASSIGN_OR_RETURN(NodeResources resources, NodeResources::create(options.resources));
  shm::SegmentOptions segment_options;
  segment_options.session_id = IdBits::random();
  segment_options.store_bytes = options.objects.store_bytes;
  segment_options.objects_bytes = Objects::segment_bytes(options.objects.store_bytes);
  segment_options.sabird_pid = static_cast<uint32_t>(::getpid());
  segment_options.cpu_count = options.cpu_count;
  // L5: one CPU is left to whoever does the work that the others spin for.
  segment_options.spin_allowance = std::max<uint32_t>(1, options.cpu_count - 1);
  SABIR_ASSIGN_OR_RETURN(shm::SessionSegments segments, shm::SessionSegments::create(segment_options));
  std::unique_ptr<NodeManager> manager(new NodeManager(loop, clock, std::move(logger), std::move(options),
                                                       std::move(on_stop), segment_options.session_id,
                                                       std::move(segments), std::move(resources)));
  SABIR_RETURN_IF_ERROR(manager->begin());
  return manager;
}

NodeManager::NodeManager(loop::EventLoop& loop, const Clock& clock, Logger logger, NodeOptions options,
                         std::function<void(const std::string&)> on_stop, const IdBits& session_id,
                         shm::SessionSegments segments, NodeResources resources)
    : loop_(loop),
      clock_(clock),
      logger_(std::move(logger)),
      options_(std::move(options)),
      on_stop_(std::move(on_stop)),
      session_id_(session_id),
      node_id_(options_.node_id.value_or(IdBits::random())),
      started_unix_s_(std::time(nullptr)),
      segments_(std::move(segments)),
      calls_(segments_.calls),
      processes_(segments_.node, segments_.calls),
      lends_(segments_.node),
      directory_(segments_.node, segments_.calls, processes_),
      blocks_(segments_.calls, shm::return_stack(segments_.calls, 0)),
      control_(&storage_),
      coordinator_(std::move(resources), options_.coordinator, &control_, &clock_),
      groups_timer_(loop, [this] { on_groups_timer(); }),
      wake_(loop, [this] { settle(); }),
      disconnected_timer_(loop, [this] { end_disconnected(); }) {
  labels_ = options_.labels;
  labels_[std::string(cluster::kNodeIdLabel)] = node_id_.hex();
  labels_[std::string(cluster::kNodeNameLabel)] = options_.name;
}

NodeManager::~NodeManager() {
  stopping_ = true;
  look_.reset();
  reaper_.reset();
  groups_.reset();
  cluster_.reset();
  processes_.for_each([](Process& process) {
    process.watcher.reset();
    if (process.is_worker()) {
      kill_process_group(process.pid, process.pidfd.get());
    }
  });
}

Result<void> NodeManager::begin() {
  SABIR_ASSIGN_OR_RETURN(LogFile file, LogFile::open(options_.session_path + "/logs/workers.log", {}));
  logs_ = std::make_unique<Logs>(
      loop_, std::move(file), Logs::Options{}, [this](SourceId source) { return origin_of(source); },
      [this](uint32_t job, std::vector<rpc::LogLines>& lines) { return send_lines(job, lines); });
  SABIR_ASSIGN_OR_RETURN(
      objects_,
      Objects::create(
          loop_, clock_, segments_, processes_, lends_, options_.objects,
          {.violation = [this](store::ProcessId id, const std::string& text) { violations_.emplace_back(id, text); },
           .actor_unheld = [this](shm::ActorIndex actor) { coordinator_.actor_handles_gone(actor); }}));
  deaths_ = std::make_unique<Deaths>(
      Estate{segments_, processes_, lends_, directory_, *objects_}, options_.deaths,
      Deaths::Events{.queue_closed = [this](shm::QueueIndex queue) { coordinator_.close_queue(queue); },
                     .unresponsive =
                         [this](shm::SlotIndex slot) {
                           if (Process* process = processes_.at(slot)) {
                             kill(*process, shm::DeathReason::kKilledByNode,
                                  "it did not take note of other processes' ends");
                           }
                         }});
  options_.launcher.session_path = options_.session_path;
  launcher_ = std::make_unique<Launcher>(loop_, *logs_, options_.guard, logger_, options_.launcher,
                                         [this](LaunchId launch, const std::string& text) {
                                           logger_.warning("a worker did not start: ", text);
                                           coordinator_.launch_failed(launch, text);
                                           settle();
                                         });
  reaper_ = std::make_unique<Reaper>(
      loop_,
      [this](pid_t pid) { return processes_.knows(pid) || launcher_->knows(pid) || (cluster_ && cluster_->owns(pid)); },
      [this](pid_t pid, int status) { launcher_->reaped(pid, status); });
  if (options_.cluster) {
    coordinator_.hold_actors(options_.cluster->visiting);
    options_.cluster->session_path = options_.session_path;
    SABIR_ASSIGN_OR_RETURN(cluster_, ClusterAgent::create(loop_, clock_, logger_, options_.guard, *this,
                                                          cluster::NodeId(node_id_), *options_.cluster));
  }
  SABIR_ASSIGN_OR_RETURN(look_,
                         Look::create(loop_, clock_, segments_.node.header(), {}, [this] { return look_once(); }));
  return {};
}

bool NodeManager::look_once() {
  objects_->rounds();
  enforce_violations();
  bool calls_wait = false;  // also those that nothing can be done about here
  for (const auto& [queue, class_index] : directory_.open_queues()) {
    uint64_t waiting = uint64_t{calls_.queue_length(queue)} + calls_.queue_overflow(queue);
    coordinator_.observe_queue(queue, waiting);
    calls_wait |= waiting != 0;
  }
  processes_.for_each([&](Process& process) {
    if (process.is_worker()) {
      shm::SlotIndex slot = process.key.slot;
      coordinator_.observe_worker(slot, {.blocked = calls_.blocked(slot).any(),
                                         .lease_epoch_done = calls_.lease_epoch_done(slot).any(),
                                         .running = calls_.function_plus_one(slot).any() != 0});
    }
  });
  place_calls();
  place_groups();
  settle();
  tend_groups();
  look_at_relays();
  deaths_->look();
  bool busy = coordinator_.busy() || deaths_->busy() || objects_->busy() || relays_busy();
  if (cluster_ && (busy || calls_wait)) {
    cluster_->wake();
  }
  return busy;
}

void NodeManager::settle() {
  if (settling_ || stopping_) {
    return;  // whoever is at it takes what is added meanwhile
  }
  settling_ = true;
  for (Instructions instructions = coordinator_.take(); !instructions.empty(); instructions = coordinator_.take()) {
    for (const Instruction& instruction : instructions) {
      carry_out(instruction);
    }
    if (cluster_) {
      cluster_->wake();
    }
  }
  settling_ = false;
  if (coordinator_.take_group_actors_wait() && !std::exchange(actors_wait_for_groups_, true)) {
    groups_timer_.start_once(0);
  }
  if (std::optional<int64_t> wake_ns = coordinator_.next_wake_ns()) {
    wake_.start_once(std::max(kMinWakeNs, *wake_ns - clock_.now_ns()));
  } else {
    wake_.stop();
  }
}

void NodeManager::enforce_violations() {
  for (auto& [id, text] : std::exchange(violations_, {})) {
    Process* process = processes_.find({id.slot, id.incarnation});
    if (process == nullptr || std::exchange(process->cut_off, true)) {
      continue;
    }
    logger_.error("process ", process->pid, " broke the protocol: ", text);
    if (process->is_worker()) {
      kill(*process, shm::DeathReason::kKilledByNode, "it broke the protocol: " + text);
    } else if (process->notices) {
      // A driver is its user's program: it loses the session, and its job ends with the connection.
      process->notices->warn("this process broke the protocol of the session and is cut off: " + text);
      process->notices->close();
    }
  }
}

void NodeManager::kill(Process& process, shm::DeathReason reason, const std::string& text) {
  if (process.kill_reason || process.ended) {
    return;
  }
  process.kill_reason = reason;
  process.kill_text = text;
  logger_.info("kill process ", process.pid, ": ", text);
  if (process.relay || is_gateway(process.pid)) {
    // It leaves when it is told to; a gateway that does not hear ends as a whole.
    if (process.relay && process.actor) {
      kill_in_gateway(process, true, true);
    } else if (process.notices) {
      process.notices->exit(text);
    }
    expect_end(process.key, kRelayGraceNs);
    return;
  }
  if (process.is_worker()) {
    kill_process_group(process.pid, process.pidfd.get());
  } else {
    signal_pidfd(process.pidfd.get(), SIGKILL);
  }
}

void NodeManager::process_ended(shm::SlotIndex slot) {
  Process* process = processes_.at(slot);
  if (process == nullptr) {
    return;
  }
  if (process->is_worker()) {
    worker_process_ended(*process);
    return;
  }
  std::string text = process->kill_reason && !process->kill_text.empty() ? process->kill_text : "its process ended";
  publish_death(*process, 0, process->kill_reason.value_or(shm::DeathReason::kDisconnected), text);
}

void NodeManager::worker_process_ended(Process& process) {
  pid_t pid = process.pid;
  // Its children first: until it is reaped its group's number is nobody else's.
  kill_process_group(pid, process.pidfd.get());
  options_.guard.remove(pid);
  int status = 0;
  std::string how = "its process ended";
  if (std::optional<int> reaped = reap(pid)) {
    status = *reaped;
    how = describe_wait_status(status);
  }
  // Sent to a process that was ending by itself (its connection closes first), the signal was not what ended it.
  bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  struct Death {
    rpc::ProcessKey key;
    shm::DeathReason reason;
    std::string text;
  };
  std::vector<Death> deaths;  // of all workers that shared it (W8)
  std::string why_killed;
  processes_.for_each([&](Process& worker) {
    if (worker.is_worker() && worker.pid == pid) {
      worker.ended = true;
      deaths.push_back({worker.key, shm::DeathReason::kExited, how});
      if (worker.kill_reason && killed) {
        deaths.back().reason = *worker.kill_reason;
        deaths.back().text = worker.kill_text.empty() ? how : worker.kill_text;
        why_killed = deaths.back().text;
      }
    }
  });
  // Whatever follows from it, nobody signals this number any more.
  if (std::string why = launcher_->process_over(pid, how); killed && why_killed.empty() && !why.empty()) {
    for (Death& death : deaths) {  // W6: killed because of workers that never joined
      death = {death.key, shm::DeathReason::kKilledByNode, why};
    }
  }
  for (const Death& death : deaths) {
    if (Process* worker = processes_.find(death.key)) {
      std::string text = death.text;
      if (!why_killed.empty() && death.reason == shm::DeathReason::kExited) {
        text += " because of a worker that shared it: ";
        text += why_killed;
      }
      publish_death(*worker, status, death.reason, text);
    }
  }
}

void NodeManager::publish_death(Process& process, int wait_status, shm::DeathReason reason, const std::string& text) {
  JobNumber job = process.job;
  bool worker = process.is_worker();
  shm::SlotIndex slot = process.key.slot;
  rpc::ProcessKey key = process.key;
  logger_.info(worker ? "worker " : "driver ", process.pid, " of job ", job, " is gone: ", text);
  if (SourceId output = std::exchange(process.output, 0); output != 0 && processes_.find_output(output).empty()) {
    logs_->close_source(output);
  }
  auto found = jobs_.find(job);
  bool ends_job = !worker && !process.guest;
  bool job_over = ends_job || found == jobs_.end() || found->second.over;
  deaths_->publish({slot, wait_status, reason, job_over}, [&] {
    if (worker) {
      coordinator_.worker_gone(slot, text);
    } else if (ends_job) {
      end_job(job, "its driver is gone: " + text);
    }
    settle();
  });
  forget_job_if_over(job);
  if (owner_ == key) {
    stop_node("the driver that started it is gone");
  }
  look_->now();
}

void NodeManager::end_job(JobNumber number, const std::string& how) {
  auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.over) {
    return;
  }
  found->second.over = true;
  coordinator_.end_job(number);
  if (Result<void> ended = control_.jobs().end(number); !ended.ok()) {
    logger_.error("end of job ", number, ": ", ended.error().to_string());
  }
  if (cluster_ && found->second.config.driver_node == node_id_.view()) {
    cluster_->job_ended(found->second.id, how);
  }
  // Tasks of it may have made groups from other nodes.
  bool may_have_groups = (groups_ || cluster_) && has_groups();
  if (std::optional<IdBits> id = IdBits::from_bytes(found->second.id);
      may_have_groups && id && home_of(found->second) == groups_->self()) {
    groups_->end_job(cluster::JobKey(*id));
  }
  logs_->job_ended(number);
  remote_logs_.job_over(found->second.id);
  deaths_->job_ended(number);
  if (cluster_) {
    for (auto& [launch, relay] : relay_launches_) {
      if (relay.job == number) {
        end_relay(relay, "its job ended");
      }
    }
    cluster_->job_over(number);
  }
  settle();                       // kills its workers and aborts its launches ...
  launcher_->remove_job(number);  // ... before their zygotes go
  objects_->ownership().drop_holder(store::Holder::job(number));
}

void NodeManager::forget_job_if_over(JobNumber number) {
  auto found = jobs_.find(number);
  if (found == jobs_.end() || !found->second.over) {
    return;
  }
  bool used = false;
  processes_.for_each([&](Process& process) { used |= process.job == number; });
  std::vector<Actors::View> actors = coordinator_.actors().views();
  used |= std::any_of(actors.begin(), actors.end(), [&](const Actors::View& view) {
    return view.spec->job == number && view.phase != ActorPhase::kDead;
  });
  if (!used) {
    jobs_.erase(found);
    static_cast<void>(control_.functions().erase_job(number));  // memory alone: cannot fail
  }
}

Process* NodeManager::driver_of(JobNumber number) {
  auto found = jobs_.find(number);
  return found == jobs_.end() || found->second.over ? nullptr : processes_.find(found->second.driver);
}

void NodeManager::warn_job(JobNumber number, const std::string& text) {
  logger_.warning("job ", number, ": ", text);
  if (Process* driver = driver_of(number); driver != nullptr && driver->notices) {
    driver->notices->warn(text);
  }
}

Logs::Origin NodeManager::origin_of(SourceId source) {
  // Lines of job 0 go to no driver.
  auto for_driver = [&](JobNumber number) {
    auto job = jobs_.find(number);
    return job != jobs_.end() && !job->second.over && job->second.config.log_to_driver ? number : 0;
  };
  std::vector<Process*> workers = processes_.find_output(source);
  Logs::Origin origin;
  if (workers.empty()) {
    origin = launcher_ ? launcher_->origin(source).value_or(Logs::Origin{}) : Logs::Origin{};
    origin.job = for_driver(origin.job);
    return origin;
  }
  const Process& first = *workers.front();
  origin.pid = static_cast<uint32_t>(first.pid);
  origin.job = for_driver(first.job);
  if (first.actor) {
    std::optional<Actors::View> view = coordinator_.actors().view(*first.actor);
    origin.task_name = view ? view->spec->class_name : "";
    return origin;
  }
  // Of several that share it nobody knows which wrote, unless but one runs something.
  uint32_t running = 0;
  uint32_t function = 0;
  for (const Process* worker : workers) {
    if (uint32_t now = calls_.function_plus_one(worker->key.slot).any(); now != 0) {
      function = now;
      ++running;
    }
  }
  if (running == 0 && workers.size() == 1) {
    // A short task has ended before its lines are read here.
    function = calls_.last_function_plus_one(first.key.slot).any();
  }
  if (function != 0 && running <= 1) {
    const control::FunctionRecord* record = control_.functions().find(function - 1);
    origin.task_name = record != nullptr ? record->name : "";
  }
  return origin;
}

bool NodeManager::send_lines(JobNumber job, std::vector<rpc::LogLines>& lines) {
  Process* driver = driver_of(job);
  if (driver != nullptr && is_gateway(driver->pid)) {
    return send_lines_away(jobs_.at(job), lines);
  }
  return driver != nullptr && driver->notices && driver->notices->log(lines);
}

bool NodeManager::send_lines_away(const Job& job, std::vector<rpc::LogLines>& lines) {
  std::optional<IdBits> id = IdBits::from_bytes(job.config.driver_node);
  std::optional<cluster::NodeKey> node = cluster_ && id ? cluster_->living(cluster::NodeId(*id)) : std::nullopt;
  if (!node) {
    return true;  // nobody reads them; the log file has them
  }
  std::optional<uint64_t> sequence = remote_logs_.begin(job.id);
  if (!sequence) {
    return false;
  }
  for (rpc::LogLines& entry : lines) {
    entry.task_name = (entry.task_name.empty() ? "worker" : entry.task_name) + " on " + options_.name;
  }
  cluster_->send_lines(*node, {job.id, *sequence, std::move(lines)});
  return true;
}

void NodeManager::log_lines(const std::string& job_id, std::vector<rpc::LogLines> lines) {
  if (std::optional<JobNumber> job = find_job(job_id); job && jobs_.at(*job).config.log_to_driver) {
    logs_->add_remote(*job, std::move(lines));
  }
}

void NodeManager::log_answered(const std::string& job_id, uint64_t sequence) {
  std::optional<JobNumber> job = find_job(job_id);
  if (remote_logs_.answered(job_id, sequence) && job) {
    logs_->flush(*job);
  }
}

void NodeManager::stop_node(const std::string& why) {
  if (!stopping_) {
    stopping_ = true;
    logger_.info("the node stops: ", why);
    on_stop_(why);
  }
}

void NodeManager::say_goodbye(const std::string& why) {
  stopping_ = true;
  if (cluster_) {
    cluster_->leave(why);
  }
  processes_.for_each([&](Process& process) {
    if (process.notices) {
      process.notices->exit(why);
    }
  });
}

}  // namespace sabir::node
