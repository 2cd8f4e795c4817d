#include "runtime/head/control_shell.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace sabir::head {
namespace {

constexpr int64_t kMinWakeNs = kMillisecondNs;

int64_t unix_ms() {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / kMillisecondNs;
}

}  // namespace

ControlShell::ControlShell(loop::EventLoop& loop, Logger logger, UniqueFd channel,
                           std::function<void(const std::string&)> on_end)
    : loop_(loop),
      logger_(std::move(logger)),
      on_end_(std::move(on_end)),
      timer_(loop,
             [this] {
               service_->tick();
               plan();
             }),
      pipe_(
          loop, std::move(channel), [this](std::string_view message) { receive(message); },
          [this](const std::string& why) { on_end_("sabird is gone: " + why); }) {}

ControlShell::~ControlShell() {
  timer_.stop();
  service_.reset();
  control_.reset();
}

void ControlShell::receive(std::string_view bytes) {
  Result<rpc::ToControl> message = rpc::decode_to_control(bytes);
  if (!message.ok()) {
    return fail({message.error().message()});
  }
  if (auto* start = std::get_if<rpc::StartControl>(&*message)) {
    this->start(*start);
  } else if (!service_) {
    return;  // it could not be opened, and ends
  } else if (auto* join = std::get_if<rpc::JoinRequest>(&*message)) {
    service_->join(*join);
  } else if (auto* words = std::get_if<rpc::NodeWords>(&*message)) {
    if (std::optional<IdBits> id = IdBits::from_bytes(words->node.id)) {
      service_->receive({cluster::NodeId(*id), words->node.incarnation}, words->bytes);
    }
  }
  plan();
}

void ControlShell::start(const rpc::StartControl& start) {
  control::DurableControl::Options options;
  options.storage.path = start.directory + "/control.db";
  options.storage.durable = start.durable;
  options.storage.must_exist = start.must_exist;
  control::DurableControl::Hooks hooks;
  hooks.stopped = [this](const Error& error) {
    fail({error.message(), false, error.kind() == ErrorKind::kDisconnected});
  };
  Result<std::unique_ptr<control::DurableControl>> opened = control::DurableControl::open(
      options,
      [this](std::function<void()> task) {
        loop_.post([this, task = std::move(task)] {
          task();
          plan();  // it may have changed what is to be said, and when
        });
      },
      &clock_, std::move(hooks));
  if (!opened.ok()) {
    // Another process may have it locked for a moment, or the disk be full for longer: it is tried again.
    return fail({opened.error().message(), opened.error().kind() != ErrorKind::kExhausted});
  }
  control_ = *std::move(opened);
  ServiceOptions service;
  service.cluster_id = start.cluster_id;
  service.head = cluster::NodeId(IdBits::from_bytes(start.head_id).value_or(IdBits()));
  service.dead_after_ns = start.dead_after_ns;
  service.unix_ms = unix_ms;
  service_ = std::make_unique<ControlService>(&control_->tables(), &control_->requests(), control_->epoch(),
                                              std::move(service), &clock_, logger_, static_cast<ServiceOut*>(this));
  logger_.info("opened ", options.storage.path, " with epoch ", control_->epoch());
  tell(rpc::ControlReady{control_->epoch()});
  service_->begin();
}

void ControlShell::fail(const rpc::ControlFailed& failed) {
  logger_.error(failed.why);
  tell(failed);
  // Not from inside what has failed.
  loop_.post([this, why = failed.why] { on_end_(why); });
}

void ControlShell::plan() {
  if (service_) {
    timer_.start_once(std::max(kMinWakeNs, service_->next_wake_ns() - clock_.now_ns()));
  }
}

void ControlShell::say(const cluster::NodeKey& to, const cluster::ClusterMessage& message) {
  tell(rpc::NodeWords{{std::string(to.id.bits().view()), to.incarnation}, cluster::encode(message)});
}

void ControlShell::answer_join(uint64_t number, const cluster::RegisterAnswer& answer) {
  tell(rpc::JoinAnswer{number, cluster::encode(answer)});
}

}  // namespace sabir::head
