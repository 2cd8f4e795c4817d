// Who the nodes of the cluster are.
#include <algorithm>
#include <ctime>
#include <utility>

#include "runtime/base/version.h"
#include "runtime/node/cluster_agent.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::node {

using cluster::ClusterMessage;
using cluster::MemberInfo;
using cluster::NodeKey;

namespace {

// A node that has changed says so within two ticks, its own and the head's. A report may know of a decision already
// that is younger than the grace, and is the last one for a while: then the debit must not outlive it by much.
constexpr cluster::ViewOptions kViewOptions = {.debit_grace_ns = 150 * kMillisecondNs,
                                               .debit_lifetime_ns = 400 * kMillisecondNs};

rpc::NodeKeyBytes wire_key(const NodeKey& key) { return {std::string(key.id.bits().view()), key.incarnation}; }

uint64_t new_epoch() { return static_cast<uint64_t>(std::time(nullptr)); }

}  // namespace

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

}  // namespace sabir::node
