#include "runtime/node/cluster_agent.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "runtime/base/version.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::node {

using cluster::ClusterMessage;
using cluster::MemberInfo;
using cluster::NodeId;
using cluster::NodeKey;

namespace {

// Between two ticks while something happens, and while nothing does for that long.
constexpr int64_t kTickNs = 50 * kMillisecondNs;
constexpr int64_t kRestTickNs = kSecondNs;
// Of the time after which a silent node is dead: a few beats may be late.
constexpr int64_t kBeatsUntilDead = 4;
// A node that has changed says so within two ticks, its own and the head's. A report may know of a decision already
// that is younger than the grace, and is the last one for a while: then the debit must not outlive it by much.
constexpr cluster::ViewOptions kViewOptions = {.debit_grace_ns = 150 * kMillisecondNs,
                                               .debit_lifetime_ns = 400 * kMillisecondNs};
// Calls that no node can run: a node that can may be about to join.
constexpr int64_t kWarnAfterNs = kSecondNs;
constexpr int64_t kLocalPatienceNs = 60 * kMillisecondNs;  // of actors
constexpr int64_t kQuestionNs = 10 * kSecondNs;
constexpr size_t kMaxQuestions = 4096;

std::optional<NodeId> id_in(std::string_view bytes) {
  std::optional<IdBits> bits = IdBits::from_bytes(bytes);
  return bits ? std::optional(NodeId(*bits)) : std::nullopt;
}

rpc::NodeKeyBytes wire_key(const NodeKey& key) { return {std::string(key.id.bits().view()), key.incarnation}; }

uint64_t new_epoch() { return static_cast<uint64_t>(std::time(nullptr)); }

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

// --- Membership

void ClusterAgent::become_head() {
  self_.incarnation = last_incarnation_ = 1;
  cluster_id_ = IdBits::random().view();
  head_ = self_;
  member_ = true;
  view_ = std::make_unique<cluster::ResourceView>(NodeKey{}, kViewOptions, &clock_);
  epoch_ = new_epoch();
  hub_ = std::make_unique<cluster::ViewHub>(epoch_, cluster::HubOptions{}, view_.get(), &clock_);
  hub_->add_node(self_);
  publisher_ = std::make_unique<cluster::ReportPublisher>(self_, cluster::PublisherOptions{}, &clock_);
}

void ClusterAgent::on_listening(const rpc::Listening& listening) {
  own_address_ = listening.address;
  address_ = listening.address.host + ":" + std::to_string(listening.address.port);
  if (is_head()) {
    Member& own = members_[self_.id];
    own.info.node = self_;
    own.info.host = own_address_.host;
    own.info.port = own_address_.port;
    own.info.fingerprint = own_address_.fingerprint;
    own.name = options_.name;
    wake();
    options_.ready(address_, listening.join_string);
  } else if (!member_) {
    tell(rpc::JoinCluster{options_.join_string, cluster::encode(own_request())});
  }
}

cluster::RegisterRequest ClusterAgent::own_request() const {
  cluster::RegisterRequest request;
  request.node_id = self_.id;
  request.name = options_.name;
  request.host = options_.host;
  request.port = own_address_.port;
  request.release = kVersion;
  request.layout_hash = shm::kLayoutHash;
  return request;
}

void ClusterAgent::on_join_request(const rpc::JoinRequest& from) {
  Result<ClusterMessage> message = cluster::decode_cluster_message(from.bytes);
  cluster::RegisterAnswer answer;
  auto* request = message.ok() ? std::get_if<cluster::RegisterRequest>(&*message) : nullptr;
  if (request == nullptr) {
    answer.failure = message.ok() ? invalid_error("not a request to join") : message.error();
  } else {
    answer = admit(*request, from);
  }
  tell(rpc::JoinAnswer{from.number, cluster::encode(answer)});
  if (!answer.failure) {
    spread_members({request->node_id, answer.incarnation});  // it has them in its answer
  }
}

cluster::RegisterAnswer ClusterAgent::admit(const cluster::RegisterRequest& request, const rpc::JoinRequest& from) {
  cluster::RegisterAnswer answer;
  if (request.layout_hash != shm::kLayoutHash) {
    answer.failure = unsupported_error("the head runs sabird " + std::string(kVersion) + ", this node " +
                                       request.release + ": use the same release on all nodes");
    return answer;
  }
  auto known = members_.find(request.node_id);
  if (known != members_.end() && !known->second.info.dead) {
    answer.failure = Error(ErrorKind::kAlreadyExists, "a living node has this id already");
    return answer;
  }
  Member& member = members_[request.node_id];
  member.info.node = {request.node_id, ++last_incarnation_};
  member.info.host = request.host.empty() || request.host == "0.0.0.0" ? from.host : request.host;
  member.info.port = request.port;
  member.info.fingerprint = from.fingerprint;
  member.info.dead = false;
  member.name = request.name;
  member.heard_ns = clock_.now_ns();
  hub_->add_node(member.info.node);
  wake();
  logger_.info("node ", request.name, " (", member.info.host, ":", member.info.port, ") joined as ",
               cluster::describe(member.info.node));
  answer.incarnation = member.info.node.incarnation;
  answer.cluster_id = cluster_id_;
  answer.head = self_;
  answer.epoch = epoch_;
  for (const auto& [id, one] : members_) {
    answer.members.push_back(one.info);
  }
  // Before the joiner can say hello as a member.
  learn(answer.members);
  return answer;
}

void ClusterAgent::on_joined(const std::string& bytes) {
  Result<ClusterMessage> message = cluster::decode_cluster_message(bytes);
  auto* answer = message.ok() ? std::get_if<cluster::RegisterAnswer>(&*message) : nullptr;
  if (answer == nullptr || answer->failure) {
    host_.cluster_failed("this node could not join: " +
                         (answer == nullptr ? "the head's answer was damaged" : answer->failure->message()));
    return;
  }
  self_.incarnation = answer->incarnation;
  cluster_id_ = answer->cluster_id;
  head_ = answer->head;
  head_heard_ns_ = clock_.now_ns();
  member_ = true;
  tell(rpc::Admitted{self_.incarnation, cluster_id_});
  view_ = std::make_unique<cluster::ResourceView>(self_, kViewOptions, &clock_);
  view_->add_node(self_);
  publisher_ = std::make_unique<cluster::ReportPublisher>(self_, cluster::PublisherOptions{}, &clock_);
  learn(answer->members);
  wake();
  send(*head_, view_->position());  // asks for the view
  options_.ready(address_, "");
}

void ClusterAgent::learn(const std::vector<MemberInfo>& members) {
  rpc::Members orders;
  for (const MemberInfo& info : members) {
    Member& member = members_[info.node.id];
    bool was_alive = member.info.node.incarnation != 0 && !member.info.dead;
    NodeKey before = member.info.node;
    if (info.node.incarnation < before.incarnation) {
      continue;
    }
    member.info = info;
    if (was_alive && (info.dead || before != info.node) && before != self_) {
      host_.node_gone(before);
    }
    if (info.node == self_ && info.dead) {
      host_.cluster_failed("the cluster has given this node up: it did not answer for too long");
    }
    if (info.node.id != self_.id) {
      orders.members.push_back({wire_key(info.node), {info.host, info.port, info.fingerprint}, info.dead});
    }
  }
  tell(orders);
}

void ClusterAgent::spread_members(const NodeKey& but) {
  cluster::MembersMessage message;
  message.version = ++members_version_;
  for (const auto& [id, member] : members_) {
    message.members.push_back(member.info);
  }
  for (const auto& [id, member] : members_) {
    if (id != self_.id && !member.info.dead && member.info.node != but) {
      send(member.info.node, message);
    }
  }
}

void ClusterAgent::declare_dead(const NodeKey& node, const std::string& why) {
  auto found = members_.find(node.id);
  if (found == members_.end() || found->second.info.node != node || found->second.info.dead) {
    return;
  }
  logger_.warning(cluster::describe(node), " (", found->second.name, ") is dead: ", why);
  hub_->remove_node(node);
  wake();
  names_.node_gone(node);
  MemberInfo info = found->second.info;
  info.dead = true;
  learn({info});
  spread_members();
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

// --- Where calls run

void ClusterAgent::place_calls(bool all) {
  if (!member_) {
    return;
  }
  view_->expire_debits();
  for (const ClassBacklog& backlog : host_.backlogs(all)) {
    PlacePlan plan = placer_.plan(backlog, *view_);
    if (plan.here) {
      host_.allow_here(backlog.class_index, *plan.here);
    }
    for (const auto& [node, share] : plan.elsewhere) {
      host_.send_calls(backlog, node, share);
    }
    if (plan.let_go) {
      host_.let_go(backlog.class_index);
    }
    if (plan.failure) {
      host_.fail_calls(backlog.class_index, *plan.failure);
    } else if (plan.infeasible) {
      warn_of(backlog);
    } else {
      warned_.erase(backlog.class_index);
    }
  }
}

void ClusterAgent::warn_of(const ClassBacklog& backlog) {
  std::optional<int64_t> since_ns = placer_.waits_since_ns(backlog.class_index);
  if (since_ns && clock_.now_ns() - *since_ns >= kWarnAfterNs && warned_.insert(backlog.class_index).second) {
    host_.warn_of_calls(backlog.job,
                        "calls wait, and no node can run them: " + explain(backlog.resources, backlog.place.strategy));
  }
}

cluster::Decision ClusterAgent::choose(const cluster::Amounts& resources, const cluster::Strategy& strategy) {
  return view_ ? placer_.choose(resources, strategy, *view_)
               : cluster::Decision{cluster::Decision::Outcome::kLater, self_};
}

std::optional<NodeKey> ClusterAgent::choose_elsewhere(const cluster::Amounts& resources) {
  cluster::Decision decision = choose(resources, {});
  bool elsewhere = decision.node.id != self_.id && !decision.node.id.is_nil();
  return elsewhere && decision.outcome != cluster::Decision::Outcome::kInfeasible ? std::optional(decision.node)
                                                                                  : std::nullopt;
}

bool ClusterAgent::place_by_strategy(const ActorBacklog& backlog, int64_t waited_ns) {
  cluster::Decision decision = choose(backlog.resources, backlog.strategy);
  if (decision.outcome == cluster::Decision::Outcome::kInfeasible) {
    if (placer_.is_over(backlog.strategy, *view_, waited_ns)) {
      host_.fail_actor(backlog.actor, "it may live on one node only, and that can never be: " +
                                          explain(backlog.resources, backlog.strategy));
      return true;
    }
    return false;
  }
  if (decision.node.id == self_.id) {
    host_.allow_actor(backlog.actor);
    return false;
  }
  host_.place_actor(backlog.actor, decision.node);
  return true;
}

void ClusterAgent::spill_actors() {
  std::map<shm::ActorIndex, int64_t> since;
  for (const ActorBacklog& backlog : host_.waiting_actors()) {
    auto known = actors_waiting_since_ns_.find(backlog.actor);
    int64_t waiting_since = known != actors_waiting_since_ns_.end() ? known->second : clock_.now_ns();
    warn_of(backlog, clock_.now_ns() - waiting_since);
    if (backlog.strategy != cluster::Strategy{}) {
      if (!place_by_strategy(backlog, clock_.now_ns() - waiting_since)) {
        since.emplace(backlog.actor, waiting_since);
      }
      continue;
    }
    std::optional<NodeKey> node;
    if (clock_.now_ns() - waiting_since >= kLocalPatienceNs) {
      node = choose_elsewhere(backlog.resources);
    }
    if (node) {
      host_.place_actor(backlog.actor, *node);
    } else {
      since.emplace(backlog.actor, waiting_since);
    }
  }
  std::erase_if(warned_actors_, [&](shm::ActorIndex actor) { return !since.contains(actor); });
  actors_waiting_since_ns_ = std::move(since);
}

void ClusterAgent::warn_of(const ActorBacklog& backlog, int64_t waited_ns) {
  if (waited_ns >= kWarnAfterNs && placer_.is_infeasible(backlog.resources, backlog.strategy, *view_) &&
      warned_actors_.insert(backlog.actor).second) {
    host_.warn_of_calls(backlog.job, "an actor of class " + backlog.class_name + " waits, and no node can host it: " +
                                         explain(backlog.resources, backlog.strategy));
  }
}

// --- Names of actors

void ClusterAgent::take_name(const cluster::ActorName& name, const cluster::NamedActor& actor, NameAnswered answered) {
  ask_name({.kind = cluster::NameRequest::Kind::kTake, .name = name, .actor = actor}, std::move(answered));
}

void ClusterAgent::find_name(const cluster::ActorName& name, NameAnswered answered) {
  ask_name({.kind = cluster::NameRequest::Kind::kFind, .name = name}, std::move(answered));
}

void ClusterAgent::free_name(const cluster::ActorName& name, const cluster::NamedActor& actor) {
  ask_name({.kind = cluster::NameRequest::Kind::kFree, .name = name, .actor = actor}, nullptr);
}

void ClusterAgent::ask_name(cluster::NameRequest request, NameAnswered answered) {
  bool wants_answer = answered != nullptr;
  if (hub_) {
    Result<cluster::NamedActor> decided = decide_name(request);
    if (wants_answer) {
      answered(std::move(decided));
    }
    return;
  }
  if (!member_ || (wants_answer && questions_.size() >= kMaxQuestions)) {
    if (wants_answer) {
      answered(member_ ? exhausted_error("too many questions wait for the head's answers")
                       : disconnected_error("this node has not joined its cluster yet"));
    }
    return;
  }
  request.number = next_question_++;
  if (wants_answer) {
    questions_[request.number] = {std::move(answered), clock_.now_ns() + kQuestionNs};
  }
  send(*head_, request);
  wake();
}

Result<cluster::NamedActor> ClusterAgent::decide_name(const cluster::NameRequest& request) {
  switch (request.kind) {
    case cluster::NameRequest::Kind::kTake:
      return names_.take(request.name, *request.actor);
    case cluster::NameRequest::Kind::kFree:
      names_.free(request.name, request.actor->actor_id);
      return *request.actor;
    case cluster::NameRequest::Kind::kFind:
      break;
  }
  return names_.find(request.name);
}

void ClusterAgent::on_name_answer(const cluster::NameAnswer& answer) {
  auto question = questions_.extract(answer.number);
  if (question.empty()) {
    return;
  }
  if (answer.failure) {
    question.mapped().answered(*answer.failure);
  } else {
    question.mapped().answered(*answer.actor);
  }
}

void ClusterAgent::expire_names() {
  while (!questions_.empty() && questions_.begin()->second.deadline_ns <= clock_.now_ns()) {
    auto question = questions_.extract(questions_.begin());
    question.mapped().answered(timeout_error("the head of the cluster did not say who has the name"));
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

std::string ClusterAgent::explain(const cluster::Amounts& resources, const cluster::Strategy& strategy) const {
  return view_ ? placer_.explain(resources, strategy, *view_) : std::string();
}

std::string ClusterAgent::explain_infeasible(const cluster::Amounts& resources,
                                             const cluster::Strategy& strategy) const {
  return view_ && placer_.is_infeasible(resources, strategy, *view_) ? explain(resources, strategy) : std::string();
}

}  // namespace sabir::node
