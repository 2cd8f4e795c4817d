#include "runtime/node/cluster_agent.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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
// The head's own beats stay on its machine. A control store that answers none for a quarter of that time is killed: the
// nodes that heard it last a while ago have time to hear the next one.
constexpr int64_t kOwnBeatNs = kSecondNs;

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
      start_id_(IdBits::random().view()),
      requests_(&clock, {}),
      jobs_(&clock, logger_,
            [this](cluster::ControlQuestion what, cluster::ControlClient::Answered answered) {
              if (auto* start = std::get_if<cluster::StartJob>(&what)) {
                start->job.node = self_;  // not known before this node has joined
              }
              ask(std::move(what), std::move(answered));
            }),
      placer_(self, &clock, std::random_device{}(),
              [this](const NodeId& id) {
                auto member = members_.find(id);
                return member != members_.end() && member->second.dead;
              }),
      timer_(loop, [this] { tick(); }) {}

ClusterAgent::~ClusterAgent() {
  control_.reset();
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
    agent->cluster_id_ = agent->options_.head->cluster_id;
    SABIR_RETURN_IF_ERROR(agent->start_control());
  }
  SABIR_RETURN_IF_ERROR(agent->start_gateway());
  return agent;
}

Result<void> ClusterAgent::start_gateway() {
  SpawnRequest request;
  request.argv = {options_.gateway_program, "--gateway", "--session-dir", options_.session_path};
  request.error_fd = STDERR_FILENO;
  request.oom_score_adj = options_.oom_score_adj;
  SABIR_ASSIGN_OR_RETURN(ChannelProcess started, spawn_with_channel(std::move(request), SOCK_STREAM));
  gateway_ = std::move(started.process);
  guard_.add(gateway_.pid);
  SABIR_ASSIGN_OR_RETURN(gateway_watcher_,
                         loop::FdWatcher::create(loop_, gateway_.pidfd.get(), [this](uint32_t) { on_gateway_end(); }));
  gateway_watcher_->watch(loop::kReadable);
  pipe_ = std::make_unique<rpc::FramePipe>(
      loop_, std::move(started.channel), [this](std::string_view message) { receive(message); },
      [this](const std::string& why) { host_.cluster_failed("its gateway does not listen any more: " + why); });
  rpc::StartGateway start;
  start.node = wire_key(self_);
  start.cluster_id = cluster_id_;
  start.host = options_.host;
  start.port = own_address_.port != 0 ? own_address_.port : options_.port;
  start.directory = is_head() ? options_.head->state_dir : options_.session_path;
  start.insecure = options_.insecure;
  if (is_head()) {
    start.token = options_.head->token;
    start.token_life_ns = options_.head->token_life_ns;
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
    if (control_) {
      control_->join(*request);
    }
  } else if (auto* lane = std::get_if<rpc::LaneChange>(&*message)) {
    logger_.info("the link to node ", lane->peer.id.size() == 16 ? id_in(lane->peer.id)->hex().substr(0, 8) : "?",
                 lane->is_up ? " is up" : " is down: ", lane->is_up ? "" : lane->why);
  } else if (auto* between = std::get_if<rpc::Between>(&*message)) {
    on_words(*between);
  }
}

// --- The control store's words, and those of other nodes

void ClusterAgent::on_words(const rpc::Between& words) {
  std::optional<NodeId> id = id_in(words.peer.id);
  if (!id) {
    return;
  }
  NodeKey from{*id, words.peer.incarnation};
  if (!words.control) {
    on_message(from, words.bytes);
    return;
  }
  if (control_) {
    // It does not serve for a moment: nobody is declared dead by it, and it gives all time when it serves again. So
    // this node may speak for it, as far as that it is alive (L6).
    if (control_->serves()) {
      control_->say({words.peer, words.bytes});
    } else {
      tell(rpc::Between{words.peer, cluster::encode(cluster::HeartbeatAnswer{}), true});
    }
    return;
  }
  if (!head_ || from.id != head_->id || from.incarnation < head_->incarnation) {
    return;
  }
  bool other_life = from.incarnation > head_->incarnation;
  head_ = from;
  if (other_life) {
    logger_.info("the head was started again, as ", cluster::describe(from));
    requests_.repeat_all();
  }
  on_control_message(words.bytes);
}

void ClusterAgent::send_to_control(const ClusterMessage& message) {
  std::string bytes = cluster::encode(message);
  if (control_) {
    control_->say({wire_key(self_), std::move(bytes)});
  } else {
    tell(rpc::Between{wire_key(*head_), std::move(bytes), true});
  }
}

void ClusterAgent::on_control_message(const std::string& bytes) {
  if (!member_) {
    return;
  }
  Result<ClusterMessage> decoded = cluster::decode_cluster_message(bytes);
  if (!decoded.ok()) {
    logger_.warning("from the control store: ", decoded.error().message());
    return;
  }
  control_heard_ns_ = clock_.now_ns();
  unanswered_beat_ns_.reset();
  if (!std::holds_alternative<cluster::HeartbeatAnswer>(*decoded)) {
    wake();
  }
  if (auto* answer = std::get_if<cluster::ReportAnswerMessage>(&*decoded)) {
    publisher_->answered(answer->version, answer->answer);
    if (answer->answer == cluster::ReportAnswer::kFenced) {
      host_.cluster_failed("the cluster has given this node up");
    }
  } else if (auto* batch = std::get_if<cluster::ViewBatch>(&*decoded)) {
    send_to_control(view_->apply(*batch));
    if (!std::exchange(ready_told_, true)) {
      options_.ready(own_address_, join_string_);
    }
  } else if (auto* members = std::get_if<cluster::MembersMessage>(&*decoded)) {
    learn(*members);
  } else if (auto* answered = std::get_if<cluster::ControlAnswer>(&*decoded)) {
    requests_.answered(*answered);
    ask_control();
  } else if (auto* group = std::get_if<cluster::GroupMessage>(&*decoded)) {
    host_.on_group_message(*group);
  }
}

void ClusterAgent::send(const NodeKey& to, const ClusterMessage& message) {
  tell(rpc::Between{wire_key(to), cluster::encode(message)});
}

void ClusterAgent::on_message(const NodeKey& from, const std::string& bytes) {
  Result<ClusterMessage> decoded = cluster::decode_cluster_message(bytes);
  if (!decoded.ok()) {
    logger_.warning("from ", cluster::describe(from), ": ", decoded.error().message());
    return;
  }
  wake();
  if (auto* output = std::get_if<cluster::LogLinesMessage>(&*decoded)) {
    host_.log_lines(output->job_id, std::move(output->lines));
    send(from, cluster::LogAnswer{std::move(output->job_id), output->sequence});
  } else if (auto* shown = std::get_if<cluster::LogAnswer>(&*decoded)) {
    host_.log_answered(shown->job_id, shown->sequence);
  } else if (auto* wanted = std::get_if<cluster::ReclaimActor>(&*decoded)) {
    if (host_.hold_actor_back(from, wanted->actor_id)) {
      send(from, cluster::ActorReclaimed{std::move(wanted->actor_id), wanted->incarnation});
    }
  } else if (auto* given = std::get_if<cluster::ActorReclaimed>(&*decoded)) {
    host_.actor_reclaimed(given->actor_id, given->incarnation);
  }
}

void ClusterAgent::on_new_epoch() {
  publisher_->restart();
  send_to_control(view_->position());
  requests_.repeat_all();
  ask_control();
  host_.control_store_changed();
}

void ClusterAgent::report_now() {
  observe();
  if (std::optional<cluster::NodeReport> report = publisher_->urgent()) {
    send_to_control(*report);
  }
}

void ClusterAgent::observe() {
  cluster::NodeState state = host_.node_state();
  state.draining = draining_ || options_.visiting;
  publisher_->observe(std::move(state));
}

void ClusterAgent::tick() {
  if (!member_) {
    return;
  }
  report();
  beat();
  ask_control();
  requests_.expire();
  free_names_again();
  jobs_.tick();
  place_calls(true);
  spill_actors();
  reclaim_actors();
  if (placer_.anything_waits() || !actors_waiting_since_ns_.empty() || requests_.open() != 0 || !jobs_.idle()) {
    active_ns_ = clock_.now_ns();
  }
  look_whether_drained();
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
  observe();
  std::optional<cluster::NodeReport> report = publisher_->next();
  view_->apply_report(publisher_->own());  // about itself: no detour
  if (report) {
    wake();
    send_to_control(*report);
  }
}

void ClusterAgent::beat() {
  int64_t now_ns = clock_.now_ns();
  int64_t pause_ns = control_ ? kOwnBeatNs : options_.dead_after_ns / kBeatsUntilDead;
  if (now_ns - beat_ns_ > pause_ns) {
    beat_ns_ = now_ns;
    if (!ready_told_ || view_->position().epoch != epoch_) {
      send_to_control(view_->position());  // the first one may be lost with its connection
    }
    send_to_control(cluster::Heartbeat{++beats_, epoch_, members_version_});
    unanswered_beat_ns_ = unanswered_beat_ns_.value_or(now_ns);
  }
  if (control_) {
    // By its answers, and not by the time since the last one: this process may have stood still itself.
    int64_t waited_ns = unanswered_beat_ns_ ? now_ns - *unanswered_beat_ns_ : 0;
    if (std::min(waited_ns, control_->serves_for_ns()) > options_.dead_after_ns / kBeatsUntilDead) {
      logger_.error("the control store does not answer: it is killed, and started again");
      control_->kill();
    }
  } else if (now_ns - control_heard_ns_ > options_.dead_after_ns) {
    // L6: the others take it for dead from now on, and run elsewhere what ran here.
    host_.cluster_failed("it is cut off from the cluster: nothing was heard of the head for too long");
  }
}

// --- Orders to the gateway, and questions

void ClusterAgent::host_worker(std::string token, const NodeKey& peer, uint32_t width,
                               const cluster::Amounts& resources, const Scheduling& scheduling) {
  rpc::HostWorker order{std::move(token), wire_key(peer), width, {}, scheduling};
  for (const ResourceRequest& amount : resources) {
    order.resources.push_back({amount.name, amount.units});
  }
  tell(order);
}

void ClusterAgent::set_width(uint16_t slot, uint32_t calls) { tell(rpc::SetWidth{slot, calls}); }

void ClusterAgent::kill_remote_actor(const NodeKey& peer, rpc::ProcessKey worker, bool no_restart, bool abandon) {
  tell(rpc::KillRemoteActor{wire_key(peer), worker, no_restart, abandon});
}

void ClusterAgent::job_over(JobNumber job) { tell(rpc::JobOver{job}); }

}  // namespace sabir::node
