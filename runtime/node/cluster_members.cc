// Who the nodes of the cluster are, and how this one becomes one of them.
#include <algorithm>
#include <set>
#include <utility>

#include "runtime/base/version.h"
#include "runtime/node/cluster_agent.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::node {

using cluster::ClusterMessage;
using cluster::MemberInfo;
using cluster::NodeKey;

namespace {

// A node that has changed says so within two ticks, its own and the control store's. A report may know of a decision
// already that is younger than the grace, and is the last one for a while: then the debit must not outlive it by much.
constexpr cluster::ViewOptions kViewOptions = {.debit_grace_ns = 150 * kMillisecondNs,
                                               .debit_lifetime_ns = 400 * kMillisecondNs};
// So long a draining node must have had nothing to do: a call may be on its way from one process to the next.
constexpr int64_t kNothingToDoNs = kSecondNs;

rpc::NodeKeyBytes wire_key(const NodeKey& key) { return {std::string(key.id.bits().view()), key.incarnation}; }

}  // namespace

Result<void> ClusterAgent::start_control() {
  ControlProcess::Options options;
  options.program = options_.gateway_program;
  options.session_path = options_.session_path;
  options.oom_score_adj = options_.oom_score_adj;
  options.start.directory = options_.head->state_dir;
  options.start.durable = options_.head->durable;
  options.start.must_exist = options_.head->must_exist;
  options.start.cluster_id = options_.head->cluster_id;
  options.start.head_id = wire_key(self_).id;
  options.start.dead_after_ns = options_.dead_after_ns;
  ControlProcess::Events events;
  events.join_answered = [this](const rpc::JoinAnswer& answer) {
    answer.number == 0 ? on_joined(answer.bytes) : tell(answer);
  };
  events.said = [this](rpc::NodeWords words) {
    if (words.node == wire_key(self_)) {
      on_control_message(words.bytes);
    } else {
      tell(rpc::Between{std::move(words.node), std::move(words.bytes), true});
    }
  };
  events.ready = [] {};
  events.failed = [this](const std::string& why) { host_.cluster_failed("its control store: " + why); };
  SABIR_ASSIGN_OR_RETURN(control_,
                         ControlProcess::create(loop_, clock_, logger_, guard_, std::move(options), std::move(events)));
  return {};
}

void ClusterAgent::on_listening(const rpc::Listening& listening) {
  own_address_ = listening.address;
  address_ = listening.address.host + ":" + std::to_string(listening.address.port);
  join_string_ = listening.join_string;
  std::string request = cluster::encode(own_request());
  if (control_) {
    control_->join({0, std::move(request), own_address_.fingerprint, own_address_.host});
  } else if (!member_) {
    tell(rpc::JoinCluster{options_.join_string, std::move(request)});
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
  request.start_id = start_id_;
  return request;
}

void ClusterAgent::on_joined(const std::string& bytes) {
  Result<ClusterMessage> message = cluster::decode_cluster_message(bytes);
  auto* answer = message.ok() ? std::get_if<cluster::RegisterAnswer>(&*message) : nullptr;
  if (answer == nullptr || answer->failure) {
    host_.cluster_failed("this node could not join: " +
                         (answer == nullptr ? "the answer was damaged" : answer->failure->message()));
    return;
  }
  if (std::exchange(member_, true)) {
    return;  // the same answer again
  }
  self_.incarnation = answer->incarnation;
  cluster_id_ = answer->cluster_id;
  head_ = answer->head;
  control_heard_ns_ = clock_.now_ns();
  tell(rpc::Admitted{self_.incarnation, cluster_id_});
  view_ = std::make_unique<cluster::ResourceView>(self_, kViewOptions, &clock_);
  view_->add_node(self_);
  publisher_ = std::make_unique<cluster::ReportPublisher>(self_, cluster::PublisherOptions{}, &clock_);
  epoch_ = answer->epoch;
  learn(answer->members);
  wake();
  send_to_control(view_->position());  // asks for the view
}

void ClusterAgent::learn(const cluster::MembersMessage& message) {
  if (message.epoch < epoch_ || (message.epoch == epoch_ && message.version < members_version_)) {
    return;
  }
  if (message.epoch > epoch_) {
    epoch_ = message.epoch;
    on_new_epoch();
  }
  members_version_ = message.version;
  std::vector<MemberInfo> members = message.members;
  std::set<cluster::NodeId> named;
  for (const MemberInfo& info : members) {
    named.insert(info.node.id);
  }
  for (const auto& [id, info] : members_) {
    if (!info.dead && !named.contains(id)) {
      members.push_back(info);  // it has been dead for long, and is forgotten
      members.back().dead = true;
    }
  }
  learn(members);
}

void ClusterAgent::learn(const std::vector<MemberInfo>& members) {
  rpc::Members orders;
  std::vector<NodeKey> gone;
  std::vector<NodeKey> draining;
  for (const MemberInfo& info : members) {
    MemberInfo& member = members_[info.node.id];
    NodeKey before = member.node;
    bool was_alive = before.incarnation != 0 && !member.dead;
    if (info.node.incarnation < before.incarnation || (info.node == before && member.dead)) {
      continue;
    }
    bool same = before == info.node && member.dead == info.dead && member.host == info.host &&
                member.port == info.port && member.fingerprint == info.fingerprint;
    bool drained_before = before == info.node && member.draining;
    member = info;
    if (info.draining && !info.dead && !drained_before && info.node != self_) {
      draining.push_back(info.node);
    }
    if (was_alive && (info.dead || before != info.node) && before != self_) {
      gone.push_back(before);
    }
    if (info.node == self_) {
      learn_of_itself(info);
    } else if (!same && info.node.id != self_.id) {
      orders.members.push_back({wire_key(info.node), {info.host, info.port, info.fingerprint}, info.dead});
    }
  }
  if (!orders.members.empty()) {
    tell(orders);
  }
  for (const NodeKey& node : gone) {
    host_.node_gone(node);
  }
  for (const NodeKey& node : draining) {
    host_.node_drains(node);
  }
}

bool ClusterAgent::drains(const NodeKey& node) const {
  auto found = members_.find(node.id);
  return found != members_.end() && found->second.node == node && found->second.draining;
}

void ClusterAgent::learn_of_itself(const MemberInfo& info) {
  if (info.dead) {
    host_.cluster_failed("the cluster has given this node up: it did not answer for too long");
    return;
  }
  if (!info.draining) {
    return;
  }
  if (!std::exchange(draining_, true)) {
    logger_.info("this node is drained: it gets nothing new");
    wake();
  }
  drain_until_ns_.reset();
  if (info.drain_left_ns >= 0) {
    drain_until_ns_ = clock_.now_ns() + info.drain_left_ns;
  }
}

void ClusterAgent::look_whether_drained() {
  if (!draining_) {
    return;
  }
  int64_t now_ns = clock_.now_ns();
  if (!host_.has_nothing_to_do()) {
    nothing_to_do_since_ns_.reset();
  } else if (!nothing_to_do_since_ns_) {
    nothing_to_do_since_ns_ = now_ns;
  }
  if (nothing_to_do_since_ns_ && now_ns - *nothing_to_do_since_ns_ >= kNothingToDoNs) {
    host_.drained("it was drained, and has nothing left to do");
  } else if (drain_until_ns_ && now_ns >= *drain_until_ns_) {
    host_.drained("it was drained, and the time for that is over");
  }
}

void ClusterAgent::leave(const std::string& why) {
  if (member_ && !control_) {
    send_to_control(cluster::Leaving{why});
  }
}

std::optional<NodeKey> ClusterAgent::living(const cluster::NodeId& node) const {
  auto found = members_.find(node);
  bool lives = found != members_.end() && !found->second.dead;
  return lives ? std::optional(found->second.node) : std::nullopt;
}

bool ClusterAgent::is_member(const NodeKey& node) const {
  auto found = members_.find(node.id);
  return found != members_.end() && found->second.node == node && !found->second.dead;
}

std::vector<ClusterAgent::MemberView> ClusterAgent::members() const {
  std::vector<MemberView> views;
  for (const auto& [id, member] : members_) {
    views.push_back({member, view_ ? view_->find(id) : nullptr});
  }
  return views;
}

}  // namespace sabir::node
