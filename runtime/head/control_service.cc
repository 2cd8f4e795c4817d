#include "runtime/head/control_service.h"

#include <algorithm>
#include <utility>

#include "runtime/base/version.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::head {

using cluster::ClusterMessage;
using cluster::MemberInfo;
using cluster::NodeId;
using cluster::NodeKey;
using control::NodeRecord;
using control::NodeRef;
using control::NodeState;

namespace {

constexpr int64_t kLookNs = kSecondNs;  // for the dead
// What changed is told to all but the head within this time.
constexpr int64_t kTellNs = 50 * kMillisecondNs;
// The newest: everybody has known for long of the others.
constexpr size_t kMaxDeadTold = 256;

std::optional<NodeId> id_of(const std::string& bytes) {
  std::optional<IdBits> bits = IdBits::from_bytes(bytes);
  return bits ? std::optional(NodeId(*bits)) : std::nullopt;
}

void set_address(const std::string& address, MemberInfo& info) {
  size_t colon = address.rfind(':');
  info.host = address.substr(0, colon);
  info.port = static_cast<uint16_t>(std::strtoul(address.c_str() + std::min(address.size(), colon + 1), nullptr, 10));
}

MemberInfo info_of(const control::NodeSpec& spec, const NodeKey& node) {
  MemberInfo info;
  info.node = node;
  set_address(spec.address, info);
  info.fingerprint = spec.fingerprint;
  info.name = spec.name;
  return info;
}

}  // namespace

NodeRef ref_of(const NodeKey& key) { return {std::string(key.id.bits().view()), key.incarnation}; }

ControlService::ControlService(control::ControlStore* store, control::Transactor* requests, uint64_t epoch,
                               ServiceOptions options, const Clock* clock, Logger logger, ServiceOut* out)
    : store_(*store),
      requests_(*requests),
      epoch_(epoch),
      options_(std::move(options)),
      clock_(*clock),
      started_ns_(clock->now_ns()),
      unix_at_start_ms_(options_.unix_ms()),
      logger_(std::move(logger)),
      out_(*out),
      view_(NodeKey{}, cluster::ViewOptions{}, clock),
      hub_(epoch, options_.hub, &view_, clock),
      groups_(store, requests, epoch, &view_, clock, logger_,
              [out](const NodeKey& to, cluster::GroupMessage message) { out->say(to, std::move(message)); }) {}

void ControlService::begin() {
  for (const NodeRecord* record : store_.nodes().all()) {
    std::optional<NodeId> id = id_of(record->spec.id);
    if (!id) {
      continue;
    }
    Member& member = members_[*id];
    member.info = info_of(record->spec, {*id, record->incarnation});
    member.info.dead = record->state == NodeState::kDead;
    member.info.draining = record->state == NodeState::kDraining;
    if (record->drain_until_unix_ms != 0) {
      // As with silence (M3): whatever the calendar says now, it has some time from the start of this life.
      member.drain_until_unix_ms = std::max(record->drain_until_unix_ms, unix_ms());
    }
    member.heard_ns = clock_.now_ns();
    if (!member.info.dead) {
      hub_.add_node(member.info.node);
    }
  }
  members_changed();
  groups_.begin();
}

void ControlService::add_node(const NodeKey& node) {
  hub_.add_node(node);
  groups_.node_added();
}

void ControlService::remove_node(const NodeKey& node) {
  hub_.remove_node(node);
  groups_.node_gone(node);
}

size_t ControlService::living() const {
  return static_cast<size_t>(
      std::count_if(members_.begin(), members_.end(), [](const auto& entry) { return !entry.second.info.dead; }));
}

ControlService::Member* ControlService::living_member(const NodeKey& key) {
  auto found = members_.find(key.id);
  bool lives = found != members_.end() && found->second.info.node == key && !found->second.info.dead;
  return lives ? &found->second : nullptr;
}

// --- Becoming a member

void ControlService::join(const rpc::JoinRequest& from) {
  Result<ClusterMessage> message = cluster::decode_cluster_message(from.bytes);
  auto* request = message.ok() ? std::get_if<cluster::RegisterRequest>(&*message) : nullptr;
  auto refuse = [&](const Error& error) {
    cluster::RegisterAnswer answer;
    answer.failure = error;
    out_.answer_join(from.number, answer);
  };
  if (request == nullptr) {
    return refuse(message.ok() ? invalid_error("not a request to join") : message.error());
  }
  if (request->layout_hash != shm::kLayoutHash) {
    return refuse(unsupported_error("the head runs sabird " + std::string(kVersion) + ", this node " +
                                    request->release + ": use the same release on all nodes"));
  }
  bool is_head = from.number == 0;
  if (!is_head && request->node_id == options_.head) {
    return refuse(already_exists_error("this node has the id of the head: a copied state directory?"));
  }
  control::NodeSpec spec;
  spec.id = std::string(request->node_id.bits().view());
  spec.start_id = request->start_id;
  std::string host = request->host.empty() || request->host == "0.0.0.0" ? from.host : request->host;
  spec.address = host + ":" + std::to_string(request->port);
  spec.fingerprint = from.fingerprint;
  spec.name = request->name;
  auto work = [this, spec, is_head]() -> Result<std::string> {
    const NodeRecord* known = store_.nodes().find(spec.id);
    bool earlier = known != nullptr && known->spec.start_id != spec.start_id && known->state != NodeState::kDead;
    if (is_head && earlier) {
      NodeRef before = known->ref();
      SABIR_RETURN_IF_ERROR(end_node(before, "its sabird was started again"));
    }
    SABIR_ASSIGN_OR_RETURN(uint64_t incarnation, store_.nodes().register_node(spec, 0));
    return std::to_string(incarnation);
  };
  requests_.change(
      work, [this, from, spec](Result<std::string> incarnation) { registered(from, spec, std::move(incarnation)); });
}

void ControlService::registered(const rpc::JoinRequest& from, const control::NodeSpec& spec,
                                Result<std::string> incarnation) {
  cluster::RegisterAnswer answer;
  if (!incarnation.ok()) {
    if (incarnation.error().kind() == ErrorKind::kDisconnected && requests_.refusal()) {
      return;  // M5: the next life answers
    }
    answer.failure = incarnation.error();
    return out_.answer_join(from.number, answer);
  }
  NodeKey node{*id_of(spec.id), std::strtoull(incarnation->c_str(), nullptr, 10)};
  Member& member = members_[node.id];
  if (member.info.node != node && member.info.node.incarnation != 0) {
    remove_node(member.info.node);
  }
  if (member.info.node != node) {
    member = Member{.info = info_of(spec, node)};
    add_node(node);
    logger_.info("node ", spec.name, " (", spec.address, ") joined as ", cluster::describe(node));
    ++version_;
    tell_soon();
  }
  member.heard_ns = clock_.now_ns();
  answer.incarnation = node.incarnation;
  answer.cluster_id = options_.cluster_id;
  answer.head = {options_.head, 0};
  if (auto head = members_.find(options_.head); head != members_.end()) {
    answer.head = head->second.info.node;
  }
  if (answer.head.incarnation == 0) {
    answer = {};
    answer.failure = disconnected_error("the head is no member of its own cluster yet: try again");
    return out_.answer_join(from.number, answer);
  }
  answer.epoch = epoch_;
  answer.members = all_members();
  // The head's gateway must know the node before that says hello as a member.
  if (living_member(answer.head) != nullptr) {
    out_.say(answer.head, members_message());
  }
  out_.answer_join(from.number, answer);
}

std::vector<MemberInfo> ControlService::all_members() const {
  std::vector<MemberInfo> members;
  std::vector<MemberInfo> dead;
  int64_t now_unix_ms = unix_ms();
  for (const auto& [id, member] : members_) {
    if (member.info.dead) {
      dead.push_back(member.info);
      continue;
    }
    members.push_back(member.info);
    if (member.drain_until_unix_ms != 0) {
      int64_t left_ms = std::clamp<int64_t>(member.drain_until_unix_ms - now_unix_ms, 0, INT64_MAX / kMillisecondNs);
      members.back().drain_left_ns = left_ms * kMillisecondNs;
    }
  }
  size_t room = std::min(kMaxDeadTold, cluster::kMaxClusterNodes - std::min(cluster::kMaxClusterNodes, members.size()));
  std::sort(dead.begin(), dead.end(),
            [](const MemberInfo& a, const MemberInfo& b) { return a.node.incarnation > b.node.incarnation; });
  dead.resize(std::min(dead.size(), room));
  members.insert(members.end(), dead.begin(), dead.end());
  return members;
}

cluster::MembersMessage ControlService::members_message() const { return {epoch_, version_, all_members()}; }

void ControlService::members_changed() {
  ++version_;
  tell_soon();
  if (auto head = members_.find(options_.head); head != members_.end() && !head->second.info.dead) {
    out_.say(head->second.info.node, members_message());
  }
}

// --- Ceasing to be one

Result<void> ControlService::end_node(const NodeRef& node, const std::string& why) {
  SABIR_RETURN_IF_ERROR(store_.nodes().declare_dead(node, why));
  SABIR_RETURN_IF_ERROR(store_.names().node_gone(node));
  for (const control::JobRecord* job : store_.jobs().running_on(node)) {
    SABIR_RETURN_IF_ERROR(store_.jobs().end(job->number, options_.unix_ms(), "its node is gone: " + why));
  }
  return store_.replies().forget(node.id + control::number_key(node.incarnation));
}

void ControlService::declare_dead(const NodeKey& node, const std::string& why) {
  Member* member = living_member(node);
  if (member == nullptr || std::exchange(member->dying, true)) {
    return;
  }
  NodeRef ref = ref_of(node);
  auto work = [this, ref, why]() -> Result<std::string> {
    SABIR_RETURN_IF_ERROR(end_node(ref, why));
    return std::string();
  };
  requests_.change(work, [this, node, why](const Result<std::string>& done) {
    Member* member = living_member(node);
    if (member == nullptr) {
      return;
    }
    if (!done.ok()) {
      member->dying = false;  // tried again, as long as it is silent
      logger_.warning(cluster::describe(node), " cannot be declared dead: ", done.error().to_string());
      return;
    }
    logger_.warning(cluster::describe(node), " (", member->info.name, ") is dead: ", why);
    member->info.dead = true;
    remove_node(node);
    forget_some();
    members_changed();
  });
}

// As many as the table remembers (nodes.h), oldest first.
void ControlService::forget_some() {
  std::vector<NodeKey> dead;
  for (const auto& [id, member] : members_) {
    if (member.info.dead) {
      dead.push_back(member.info.node);
    }
  }
  std::sort(dead.begin(), dead.end(), [](const NodeKey& a, const NodeKey& b) { return a.incarnation < b.incarnation; });
  for (size_t i = 0; i + control::Nodes::kMaxDead < dead.size(); ++i) {
    members_.erase(dead[i].id);
  }
}

void ControlService::look_for_dead() {
  int64_t now_ns = clock_.now_ns();
  int64_t now_unix_ms = unix_ms();
  std::vector<std::pair<NodeKey, std::string>> dead;
  for (const auto& [id, member] : members_) {
    if (member.info.dead || id == options_.head) {
      continue;  // when the head dies, so does this
    }
    int64_t until_unix_ms = member.drain_until_unix_ms;
    if (now_ns - member.heard_ns > options_.dead_after_ns) {
      dead.emplace_back(member.info.node, "nothing was heard of it for too long");
    } else if (until_unix_ms != 0 && now_unix_ms - until_unix_ms > options_.dead_after_ns / kMillisecondNs) {
      dead.emplace_back(member.info.node, "it was drained, and has not left when its time was over");
    }
  }
  for (const auto& [node, why] : dead) {
    declare_dead(node, why);
  }
}

// --- What members say

void ControlService::receive(const NodeKey& from, std::string_view bytes) {
  Result<ClusterMessage> decoded = cluster::decode_cluster_message(bytes);
  if (!decoded.ok()) {
    logger_.warning("from ", cluster::describe(from), ": ", decoded.error().message());
    return;
  }
  Member* member = living_member(from);
  if (member == nullptr) {
    if (auto* report = std::get_if<cluster::NodeReport>(&*decoded)) {
      out_.say(from, cluster::ReportAnswerMessage{report->version, cluster::ReportAnswer::kFenced});
    }
    return;
  }
  member->heard_ns = clock_.now_ns();
  if (auto* report = std::get_if<cluster::NodeReport>(&*decoded)) {
    cluster::ReportAnswer answer = report->node == from ? hub_.on_report(*report) : cluster::ReportAnswer::kFenced;
    out_.say(from, cluster::ReportAnswerMessage{report->version, answer});
  } else if (auto* position = std::get_if<cluster::ViewPosition>(&*decoded)) {
    hub_.subscribe(from, *position);
    hub_.on_position(from, *position);
  } else if (auto* beat = std::get_if<cluster::Heartbeat>(&*decoded)) {
    out_.say(from, cluster::HeartbeatAnswer{beat->sequence});
    if (beat->members_epoch != epoch_ || beat->members_version != version_) {
      out_.say(from, members_message());
    }
  } else if (auto* request = std::get_if<cluster::ControlRequest>(&*decoded)) {
    on_request(from, std::move(*request));
  } else if (auto* group = std::get_if<cluster::GroupMessage>(&*decoded)) {
    on_group_message(from, *group);
  } else if (auto* leaving = std::get_if<cluster::Leaving>(&*decoded)) {
    declare_dead(from, "it left: " + leaving->reason);
  } else {
    logger_.warning("from ", cluster::describe(from), ": words that are not for the control store");
  }
}

bool ControlService::is_for_this_life(const NodeKey& from, uint64_t epoch) {
  if (epoch == epoch_) {
    return true;
  }
  // Meant for an earlier life, which may have refused it: that is in nobody's memory. Its sender repeats what is open.
  out_.say(from, members_message());
  return false;
}

void ControlService::on_group_message(const NodeKey& from, const cluster::GroupMessage& message) {
  auto* request = std::get_if<cluster::GroupRequest>(&message);
  if (request != nullptr && !is_for_this_life(from, request->epoch)) {
    return;
  }
  if (living_member(from)->dying) {
    return;  // what it asks for would outlive it
  }
  groups_.receive(from, message);
}

void ControlService::tick() {
  wake_ns_ = clock_.now_ns() + kLookNs;
  look_for_dead();
  groups_.tick();
  if (!std::exchange(told_, true)) {
    cluster::MembersMessage message = members_message();
    for (const auto& [id, member] : members_) {
      if (!member.info.dead) {
        out_.say(member.info.node, message);
      }
    }
  }
  for (const cluster::ViewHub::Send& one : hub_.tick()) {
    out_.say(one.to, *one.batch);
  }
}

void ControlService::tell_soon() {
  if (std::exchange(told_, false)) {
    wake_ns_ = std::min(wake_ns_, clock_.now_ns() + kTellNs);
  }
}

// A time, and not so long from now: whoever asks after each message would never get there.
int64_t ControlService::next_wake_ns() const {
  int64_t wake_ns = wake_ns_;
  wake_ns = std::min(wake_ns, groups_.next_wake_ns().value_or(wake_ns));
  return std::min(wake_ns, hub_.next_wake_ns().value_or(wake_ns));
}

}  // namespace sabir::head
