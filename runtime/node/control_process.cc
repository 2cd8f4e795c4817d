#include "runtime/node/control_process.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sabir::node {
namespace {

constexpr int64_t kFirstPauseNs = 20 * kMillisecondNs;
constexpr int64_t kMaxPauseNs = 2 * kSecondNs;
constexpr uint32_t kMaxDoublings = 10;
constexpr uint32_t kMaxHungDoublings = 4;
// Who has served for so long has not failed at its start.
constexpr int64_t kStableNs = 500 * kMillisecondNs;
// The first one: then there is something wrong with this machine.
constexpr uint32_t kMaxFirstStarts = 5;

}  // namespace

ControlProcess::ControlProcess(loop::EventLoop& loop, const Clock& clock, Logger logger, const Guard& guard,
                               Options options, Events events)
    : loop_(loop),
      clock_(clock),
      logger_(std::move(logger)),
      guard_(guard),
      options_(std::move(options)),
      events_(std::move(events)),
      again_(loop,
             [this] {
               if (Result<void> started = start(); !started.ok()) {
                 not_started(started.error().to_string());
               }
             }),
      start_limit_(loop, [this] {
        trouble_ = "it did not serve in time";
        logger_.error("the control store, process ", process_.pid, ", does not begin to serve: it is killed");
        ++hung_;
        kill();
      }) {}

ControlProcess::~ControlProcess() {
  watcher_.reset();
  pipe_.reset();
  if (process_.pid != 0) {
    kill_process_group(process_.pid, process_.pidfd.get());
    guard_.remove(process_.pid);
    reap(process_.pid);
  }
}

Result<std::unique_ptr<ControlProcess>> ControlProcess::create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                               const Guard& guard, Options options, Events events) {
  std::unique_ptr<ControlProcess> made(
      new ControlProcess(loop, clock, std::move(logger), guard, std::move(options), std::move(events)));
  SABIR_RETURN_IF_ERROR(made->start());
  return made;
}

Result<void> ControlProcess::start() {
  SpawnRequest request;
  request.argv = {options_.program, "--control", "--session-dir", options_.session_path};
  request.error_fd = STDERR_FILENO;
  request.oom_score_adj = options_.oom_score_adj;
  SABIR_ASSIGN_OR_RETURN(ChannelProcess started, spawn_with_channel(std::move(request), SOCK_STREAM));
  process_ = std::move(started.process);
  guard_.add(process_.pid);
  ++starts_;
  serves_since_ns_ = 0;
  heard_end_ = false;
  SABIR_ASSIGN_OR_RETURN(watcher_, loop::FdWatcher::create(loop_, process_.pidfd.get(), [this](uint32_t) {
                           watcher_->watch(0);
                           process_ended_ = true;
                           on_end();
                         }));
  process_ended_ = false;
  watcher_->watch(loop::kReadable);
  pipe_ = std::make_unique<rpc::FramePipe>(
      loop_, std::move(started.channel), [this](std::string_view message) { receive(message); },
      [this](const std::string&) {
        heard_end_ = true;
        kill();  // it is dead, or does not read
        on_end();
      });
  start_limit_.start_once(options_.start_within_ns << std::min(hung_, kMaxHungDoublings));
  pipe_->send(rpc::encode(rpc::ToControl(options_.start)));
  for (const auto& [number, join] : joins_) {
    pipe_->send(rpc::encode(rpc::ToControl(join)));
  }
  return {};
}

void ControlProcess::receive(std::string_view bytes) {
  Result<rpc::FromControl> message = rpc::decode_from_control(bytes);
  if (!message.ok()) {
    logger_.error("from the control store: ", message.error().message());
    kill();
  } else if (auto* ready = std::get_if<rpc::ControlReady>(&*message)) {
    epoch_ = ready->epoch;
    start_limit_.stop();
    hung_ = 0;
    serves_ = true;
    serves_since_ns_ = clock_.now_ns();
    trouble_.clear();
    logger_.info("the control store serves: process ", process_.pid, ", epoch ", epoch_);
    options_.start.must_exist = true;
    if (!std::exchange(has_served_, true)) {
      events_.ready();
    }
  } else if (auto* failed = std::get_if<rpc::ControlFailed>(&*message)) {
    on_failed(*failed);
  } else if (auto* answer = std::get_if<rpc::JoinAnswer>(&*message)) {
    joins_.erase(answer->number);
    events_.join_answered(*answer);
  } else if (auto* words = std::get_if<rpc::NodeWords>(&*message)) {
    events_.said(std::move(*words));
  }
}

void ControlProcess::on_failed(const rpc::ControlFailed& failed) {
  serves_ = false;
  trouble_ = failed.why;
  logger_.error("the control store: ", failed.why);
  // One that has served is tried again whatever it said: the nodes have work without it, and somebody may help.
  if (failed.fenced || (failed.is_final && !has_served_)) {
    give_up(failed.why);
  }
}

void ControlProcess::on_end() {
  if (!process_ended_ || !heard_end_) {
    return;  // its last words count
  }
  serves_ = false;
  start_limit_.stop();
  watcher_.reset();
  guard_.remove(process_.pid);
  kill_process_group(process_.pid, process_.pidfd.get());
  std::optional<int> status = reap(process_.pid);
  std::string how = status ? describe_wait_status(*status) : std::string("it is gone");
  logger_.warning("the control store, process ", process_.pid, ", ended: ", how);
  process_ = {};
  if (trouble_.empty()) {
    trouble_ = "its process ended: " + how;
  }
  if (over_) {
    return;
  }
  failures_ = serves_since_ns_ != 0 && clock_.now_ns() - serves_since_ns_ >= kStableNs ? 0 : failures_ + 1;
  if (!has_served_ && failures_ >= kMaxFirstStarts) {
    give_up(trouble_);
    return;
  }
  int64_t pause_ns = kFirstPauseNs << std::min(failures_, kMaxDoublings);
  again_.start_once(std::min(pause_ns, kMaxPauseNs));
}

// Too many processes or files, say: that may pass.
void ControlProcess::not_started(const std::string& why) {
  trouble_ = "it could not be started: " + why;
  start_limit_.stop();
  if (process_.pid != 0) {
    kill_process_group(process_.pid, process_.pidfd.get());
    guard_.remove(process_.pid);
    reap(process_.pid);
    process_ = {};
  }
  if (!has_served_) {
    give_up(trouble_);
    return;
  }
  logger_.error("the control store: ", trouble_);
  again_.start_once(kMaxPauseNs);
}

void ControlProcess::give_up(const std::string& why) {
  if (!std::exchange(over_, true)) {
    again_.stop();
    start_limit_.stop();
    events_.failed(why);
  }
}

void ControlProcess::join(rpc::JoinRequest request) {
  if (pipe_ && process_.pid != 0) {
    pipe_->send(rpc::encode(rpc::ToControl(request)));
  }
  uint64_t number = request.number;
  joins_.insert_or_assign(number, std::move(request));
  if (joins_.size() > kMaxJoins) {
    joins_.erase(joins_.upper_bound(0));
  }
}

void ControlProcess::say(rpc::NodeWords words) {
  if (serves_ && pipe_->waiting_bytes() + words.bytes.size() <= kMaxSaidBytes) {
    pipe_->send(rpc::encode(rpc::ToControl(std::move(words))));
  }
}

void ControlProcess::kill() {
  serves_ = false;
  if (process_.pid != 0) {
    signal_pidfd(process_.pidfd.get(), SIGKILL);
  }
}

}  // namespace sabir::node
