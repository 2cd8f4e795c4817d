#include "runtime/node/cluster_agent.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sabir::node {

using cluster::ClusterMessage;
using cluster::NodeId;
using cluster::NodeKey;

namespace {

// Between two ticks while something happens, and while nothing does for that long.
constexpr int64_t kTickNs = 50 * kMillisecondNs;
constexpr int64_t kRestTickNs = kSecondNs;
// Of the time after which a silent node is dead: a few beats may be late.
constexpr int64_t kBeatsUntilDead = 4;

std::optional<NodeId> id_in(std::string_view bytes) {
  std::optional<IdBits> bits = IdBits::from_bytes(bytes);
  return bits ? std::optional(NodeId(*bits)) : std::nullopt;
}

rpc::NodeKeyBytes wire_key(const NodeKey& key) { return {std::string(key.id.bits().view()), key.incarnation}; }

}  // namespace

ClusterAgent::ClusterAgent(loop::EventLoop& loop, const Clock& clock, Logger logger, const Guard& guard,
                           ClusterHost& host, NodeId self, ClusterOptions options)
    : loop_(loop),
      clock_(clock),
      logger_(std::move(logger)),
      guard_(guard),
      host_(host),
      options_(std::move(options)),
      self_{self, 0},
      placer_(self, &clock, std::random_device{}(),
              [this](const NodeId& id) {
                auto member = members_.find(id);
                return member != members_.end() && member->second.info.dead;
              }),
      timer_(loop, [this] { tick(); }) {}

ClusterAgent::~ClusterAgent() {
  gateway_watcher_.reset();
  pipe_.reset();
  if (gateway_.pid != 0) {
    kill_process_group(gateway_.pid, gateway_.pidfd.get());
    reap(gateway_.pid);
  }
}

Result<std::unique_ptr<ClusterAgent>> ClusterAgent::create(loop::EventLoop& loop, const Clock& clock, Logger logger,
                                                           const Guard& guard, ClusterHost& host, NodeId self,
                                                           ClusterOptions options) {
  std::unique_ptr<ClusterAgent> agent(
      new ClusterAgent(loop, clock, std::move(logger), guard, host, self, std::move(options)));
  if (agent->is_head()) {
    agent->become_head();
  }
  SABIR_RETURN_IF_ERROR(agent->start_gateway());
  return agent;
}

Result<void> ClusterAgent::start_gateway() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error::from_errno(errno, "socketpair");
  }
  UniqueFd own(ends[0]);
  UniqueFd theirs(ends[1]);
  SpawnRequest request;
  request.argv = {options_.gateway_program, "--gateway", "--session-dir", options_.session_path};
  request.error_fd = STDERR_FILENO;
  request.channel_fd = theirs.get();
  request.oom_score_adj = options_.oom_score_adj;
  SABIR_ASSIGN_OR_RETURN(gateway_, spawn(request));
  guard_.add(gateway_.pid);
  SABIR_ASSIGN_OR_RETURN(gateway_watcher_,
                         loop::FdWatcher::create(loop_, gateway_.pidfd.get(), [this](uint32_t) { on_gateway_end(); }));
  gateway_watcher_->watch(loop::kReadable);
  pipe_ = std::make_unique<rpc::FramePipe>(
      loop_, std::move(own), [this](std::string_view message) { receive(message); },
      [this](const std::string& why) { host_.cluster_failed("its gateway does not listen any more: " + why); });
  rpc::StartGateway start;
  start.node = wire_key(self_);
  start.cluster_id = cluster_id_;
  start.host = options_.host;
  start.port = own_address_.port != 0 ? own_address_.port : options_.port;
  start.directory = options_.session_path;
  start.insecure = options_.insecure;
  if (is_head()) {
    start.token = std::string(IdBits::random().view()) + std::string(IdBits::random().view());
    start.token_life_ns = options_.token_life_ns;
  }
  tell(start);
  return {};
}

void ClusterAgent::on_gateway_end() {
  gateway_watcher_->watch(0);
  guard_.remove(gateway_.pid);
  std::optional<int> status = reap(gateway_.pid);
  gateway_.pid = 0;
  host_.gateway_ended();
  // Whoever relies on its port knows this node by it, and by its certificate: both are the next one's, too.
  host_.cluster_failed("its gateway ended: " + (status ? describe_wait_status(*status) : std::string("it is gone")));
}

void ClusterAgent::receive(std::string_view bytes) {
  Result<rpc::FromGateway> message = rpc::decode_from_gateway(bytes);
  if (!message.ok()) {
    host_.cluster_failed(message.error().message());
    return;
  }
  if (auto* listening = std::get_if<rpc::Listening>(&*message)) {
    on_listening(*listening);
  } else if (auto* failed = std::get_if<rpc::GatewayFailed>(&*message)) {
    host_.cluster_failed(failed->why);
  } else if (auto* joined = std::get_if<rpc::Joined>(&*message)) {
    on_joined(joined->answer);
  } else if (auto* request = std::get_if<rpc::JoinRequest>(&*message)) {
    on_join_request(*request);
  } else if (auto* lane = std::get_if<rpc::LaneChange>(&*message)) {
    logger_.info("the link to node ", lane->peer.id.size() == 16 ? id_in(lane->peer.id)->hex().substr(0, 8) : "?",
                 lane->is_up ? " is up" : " is down: ", lane->is_up ? "" : lane->why);
  } else if (auto* between = std::get_if<rpc::Between>(&*message)) {
    if (std::optional<NodeId> id = id_in(between->peer.id)) {
      on_message({*id, between->peer.incarnation}, between->bytes);
    }
  }
}

// --- Words of other nodes

void ClusterAgent::send(const NodeKey& to, const ClusterMessage& message) {
  tell(rpc::Between{wire_key(to), cluster::encode(message)});
}

void ClusterAgent::on_message(const NodeKey& from, const std::string& bytes) {
  Result<ClusterMessage> decoded = cluster::decode_cluster_message(bytes);
  if (!decoded.ok()) {
    logger_.warning("from ", cluster::describe(from), ": ", decoded.error().message());
    return;
  }
  if (auto member = members_.find(from.id); member != members_.end() && member->second.info.node == from) {
    member->second.heard_ns = clock_.now_ns();
  }
  if (!std::holds_alternative<cluster::Heartbeat>(*decoded) &&
      !std::holds_alternative<cluster::HeartbeatAnswer>(*decoded)) {
    wake();
  }
  bool from_head = head_ == from && !hub_;
  if (from_head) {
    head_heard_ns_ = clock_.now_ns();
  }
  if (auto* report = std::get_if<cluster::NodeReport>(&*decoded); report != nullptr && hub_) {
    on_report(from, *report);
  } else if (auto* answer = std::get_if<cluster::ReportAnswerMessage>(&*decoded); answer != nullptr && from_head) {
    publisher_->answered(answer->version, answer->answer);
    if (answer->answer == cluster::ReportAnswer::kFenced) {
      host_.cluster_failed("the cluster has given this node up");
    }
  } else if (auto* batch = std::get_if<cluster::ViewBatch>(&*decoded); batch != nullptr && from_head) {
    send(from, view_->apply(*batch));
  } else if (auto* position = std::get_if<cluster::ViewPosition>(&*decoded); position != nullptr && hub_) {
    hub_->subscribe(from, *position);
    hub_->on_position(from, *position);
  } else if (auto* members = std::get_if<cluster::MembersMessage>(&*decoded); members != nullptr && from_head) {
    learn(members->members);
  } else if (auto* beat = std::get_if<cluster::Heartbeat>(&*decoded); beat != nullptr && hub_) {
    send(from, cluster::HeartbeatAnswer{beat->sequence});
  } else if (auto* name = std::get_if<cluster::NameRequest>(&*decoded); name != nullptr && hub_) {
    Result<cluster::NamedActor> decided = decide_name(*name);
    if (name->kind != cluster::NameRequest::Kind::kFree) {
      cluster::NameAnswer told{.number = name->number};
      decided.ok() ? static_cast<void>(told.actor = *decided) : static_cast<void>(told.failure = decided.error());
      send(from, told);
    }
  } else if (auto* told = std::get_if<cluster::NameAnswer>(&*decoded); told != nullptr && from_head) {
    on_name_answer(*told);
  } else if (auto* output = std::get_if<cluster::LogLinesMessage>(&*decoded)) {
    host_.log_lines(output->job_id, std::move(output->lines));
    send(from, cluster::LogAnswer{std::move(output->job_id), output->sequence});
  } else if (auto* shown = std::get_if<cluster::LogAnswer>(&*decoded)) {
    host_.log_answered(shown->job_id, shown->sequence);
  } else if (auto* leaving = std::get_if<cluster::Leaving>(&*decoded); leaving != nullptr && hub_) {
    declare_dead(from, "it left: " + leaving->reason);
  }
}

void ClusterAgent::on_report(const NodeKey& from, const cluster::NodeReport& report) {
  cluster::ReportAnswer answer = report.node == from ? hub_->on_report(report) : cluster::ReportAnswer::kFenced;
  send(from, cluster::ReportAnswerMessage{report.version, answer});
}

void ClusterAgent::tick() {
  if (!member_) {
    return;
  }
  report();
  if (hub_) {
    spread_view();
    look_for_dead();
  }
  place_calls(true);
  spill_actors();
  expire_names();
  if (placer_.anything_waits() || !actors_waiting_since_ns_.empty() || !questions_.empty()) {
    active_ns_ = clock_.now_ns();
  }
  at_rest_ = clock_.now_ns() - active_ns_ > kRestTickNs;
  timer_.start_once(at_rest_ ? kRestTickNs : kTickNs);
}

void ClusterAgent::wake() {
  active_ns_ = clock_.now_ns();
  if (member_ && std::exchange(at_rest_, false)) {
    timer_.start_once(0);
  }
}

void ClusterAgent::report() {
  publisher_->observe(host_.node_state());
  std::optional<cluster::NodeReport> report = publisher_->next();
  if (report) {
    wake();
  }
  if (!hub_) {
    view_->apply_report(publisher_->own());  // about itself: no detour
  }
  if (report && hub_) {
    publisher_->answered(report->version, hub_->on_report(*report));
  } else if (report) {
    send(*head_, *report);
    beat_ns_ = clock_.now_ns();
  } else if (!hub_ && clock_.now_ns() - beat_ns_ > options_.dead_after_ns / kBeatsUntilDead) {
    beat_ns_ = clock_.now_ns();
    send(*head_, cluster::Heartbeat{});
  }
  if (!hub_ && clock_.now_ns() - head_heard_ns_ > options_.dead_after_ns) {
    // L6: the others take it for dead from now on, and run elsewhere what ran here.
    host_.cluster_failed("it is cut off from the cluster: nothing was heard of the head for too long");
  }
}

void ClusterAgent::spread_view() {
  for (const cluster::ViewHub::Send& one : hub_->tick()) {
    wake();
    send(one.to, *one.batch);
  }
}

void ClusterAgent::look_for_dead() {
  std::vector<NodeKey> dead;
  for (const auto& [id, member] : members_) {
    if (id != self_.id && !member.info.dead && clock_.now_ns() - member.heard_ns > options_.dead_after_ns) {
      dead.push_back(member.info.node);
    }
  }
  for (const NodeKey& node : dead) {
    declare_dead(node, "nothing was heard of it for too long");
  }
}

// --- Orders to the gateway, and questions

void ClusterAgent::host_worker(std::string token, const NodeKey& peer, uint32_t width,
                               const cluster::Amounts& resources) {
  rpc::HostWorker order{std::move(token), wire_key(peer), width, {}};
  for (const ResourceRequest& amount : resources) {
    order.resources.push_back({amount.name, amount.units});
  }
  tell(order);
}

void ClusterAgent::set_width(uint16_t slot, uint32_t calls) { tell(rpc::SetWidth{slot, calls}); }

std::optional<NodeKey> ClusterAgent::living(const NodeId& node) const {
  auto found = members_.find(node);
  bool lives = found != members_.end() && !found->second.info.dead;
  return lives ? std::optional(found->second.info.node) : std::nullopt;
}

bool ClusterAgent::is_member(const NodeKey& node) const {
  auto found = members_.find(node.id);
  return found != members_.end() && found->second.info.node == node && !found->second.info.dead;
}

void ClusterAgent::kill_remote_actor(const NodeKey& peer, rpc::ProcessKey worker, bool no_restart, bool abandon) {
  tell(rpc::KillRemoteActor{wire_key(peer), worker, no_restart, abandon});
}

void ClusterAgent::job_over(JobNumber job) { tell(rpc::JobOver{job}); }

std::vector<ClusterAgent::MemberView> ClusterAgent::members() const {
  std::vector<MemberView> views;
  for (const auto& [id, member] : members_) {
    views.push_back({member.info, member.name, view_ ? view_->find(id) : nullptr});
  }
  return views;
}

}  // namespace sabir::node
