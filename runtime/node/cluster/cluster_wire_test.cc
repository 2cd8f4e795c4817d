#include "runtime/node/cluster/cluster_wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

// --- Every field of a message as text: what two messages that are the same have in common.

class Fields {
 public:
  template <typename... Ts>
  void add(const Ts&... fields) {
    (one(fields), ...);
  }
  std::string text() const { return out_.str(); }

 private:
  template <typename T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void one(T number) { out_ << static_cast<uint64_t>(number) << ' '; }
  void one(const std::string& text) { out_ << text.size() << ':' << text << ' '; }
  template <typename Tag>
  void one(const Id<Tag>& id) {
    out_ << id.hex() << ' ';
  }
  void one(const NodeKey& key) { add(key.id, key.incarnation); }
  void one(const ResourceRequest& amount) { add(amount.name, amount.units); }
  void one(const Error& error) { add(error.kind(), error.message()); }
  template <typename T>
  void one(const std::vector<T>& list) {
    out_ << '[' << list.size() << ' ';
    for (const T& element : list) {
      one(element);
    }
    out_ << ']';
  }
  template <typename T>
  void one(const std::optional<T>& maybe) {
    add(maybe.has_value());
    if (maybe) {
      one(*maybe);
    }
  }
  void one(const MemberInfo& from) {
    add(from.node, from.host, from.port, from.fingerprint, from.dead, from.name, from.draining, from.drain_left_ns);
  }
  void one(const DemandShape& from) { add(from.resources, from.waiting, from.infeasible, from.reason); }
  void one(const LeaseStatus::Open& from) { add(from.number, from.slots); }
  void one(const LeaseStatusAnswer::Held& from) { add(from.number, from.slots); }

 public:
  void one(const RegisterRequest& from) {
    add(from.node_id, from.name, from.host, from.port, from.release, from.layout_hash, from.start_id);
  }
  void one(const RegisterAnswer& from) {
    add(from.failure, from.incarnation, from.cluster_id, from.head, from.epoch, from.members);
  }
  void one(const MembersMessage& from) { add(from.epoch, from.version, from.members); }
  void one(const NodeReport& from) {
    add(from.node, from.version, from.statics_version, from.statics != nullptr);
    if (from.statics != nullptr) {
      add(from.statics->version, from.statics->total, from.statics->labels.size());
      for (const auto& [key, value] : from.statics->labels) {
        add(key, value);
      }
    }
    add(from.available, from.gpu_free, from.draining, from.waiting, from.demand, from.store_used_bytes,
        from.store_capacity_bytes);
  }
  void one(const ReportAnswerMessage& from) { add(from.version, from.answer); }
  void one(const ViewBatch& from) { add(from.epoch, from.from, from.to, from.members, from.reports, from.gone); }
  void one(const ViewPosition& from) { add(from.epoch, from.version); }
  void one(const LeaseRequest& from) {
    add(from.client, from.server, from.number, from.what.token, from.what.job, from.what.language, from.what.resources,
        from.what.placement.group, from.what.placement.bundle, from.what.placement.capture_child_calls, from.slots,
        from.wait_ns);
  }
  void one(const LeaseAnswer& from) {
    add(from.client, from.server, from.number, from.outcome, from.slots, from.valid_ns, from.reason, from.report);
  }
  void one(const LeaseStatus& from) { add(from.client, from.server, from.sequence, from.next_lease, from.open); }
  void one(const LeaseStatusAnswer& from) { add(from.client, from.server, from.sequence, from.valid_ns, from.held); }
  void one(const LeaseRecall& from) { add(from.client, from.server, from.number, from.slots); }
  void one(const Heartbeat& from) { add(from.sequence, from.members_epoch, from.members_version); }
  void one(const HeartbeatAnswer& from) { add(from.sequence); }
  void one(const Leaving& from) { add(from.reason); }
  void one(const NamedActor& from) {
    add(from.home, from.actor_id, from.class_name, from.class_info, from.language, from.max_task_retries);
  }
  void one(const NameRequest& from) {
    add(from.kind, from.name.name_space, from.name.name, from.actor.has_value());
    if (from.actor) {
      one(*from.actor);
    }
  }
  void one(const PutValue& from) { add(from.key, from.value, from.overwrite); }
  void one(const GetValue& from) { add(from.key); }
  void one(const EraseValue& from) { add(from.key); }
  void one(const ListKeys& from) { add(from.prefix, from.after, from.limit); }
  void one(const DrainNode& from) { add(from.node, from.deadline_ns); }
  void one(const ClusterJob& from) {
    add(from.id, from.name, from.name_space, from.driver_pid, from.node, from.started_unix_ms, from.ended_unix_ms,
        from.end);
  }
  void one(const StartJob& from) { one(from.job); }
  void one(const EndJob& from) { add(from.id, from.end); }
  void one(const ListJobs&) { add(2); }
  void one(const ControlRequest& from) {
    add(from.number, from.lowest_unanswered, from.epoch, from.what.index());
    std::visit([this](const auto& what) { one(what); }, from.what);
  }
  void one(const Done&) { add(1); }
  void one(const KeyList& from) { add(from.keys); }
  void one(const JobList& from) { add(from.jobs); }
  void one(const ControlAnswer& from) {
    add(from.number, from.failure, from.result.index());
    std::visit([this](const auto& result) { add(result); }, from.result);
  }
  void one(const rpc::LogLines& from) { add(from.pid, from.stream, from.task_name, from.text, from.dropped_lines); }
  void one(const LogLinesMessage& from) { add(from.job_id, from.sequence, from.lines); }
  void one(const LogAnswer& from) { add(from.job_id, from.sequence); }
  void one(const ReclaimActor& from) { add(from.actor_id, from.incarnation); }
  void one(const ActorReclaimed& from) { add(from.actor_id, from.incarnation); }

  void one(const LabelTerm& from) { add(from.key, from.op, from.values); }
  void one(const BundleSpec& from) { add(from.resources, from.selector); }
  void one(const GroupSpec& from) {
    add(from.id, from.job, from.name, from.name_space, from.detached, from.strategy, from.bundles);
  }
  void one(const PrepareBundles::Bundle& from) { add(from.index, from.resources); }
  void one(const DropBundles::Bundle& from) { add(from.index, from.up_to_attempt); }
  void one(const BundleInventory::Bundle& from) { add(from.group, from.index, from.attempt, from.committed); }
  void one(const PrepareBundles& from) { add(from.epoch, from.node, from.group, from.attempt, from.bundles); }
  void one(const PrepareAnswer& from) { add(from.node, from.group, from.attempt, from.prepared, from.reason); }
  void one(const CommitBundles& from) { add(from.epoch, from.node, from.group, from.attempt, from.bundles); }
  void one(const CommitAnswer& from) { add(from.node, from.group, from.attempt, from.committed, from.unknown); }
  void one(const DropBundles& from) { add(from.epoch, from.node, from.group, from.bundles); }
  void one(const DropAnswer& from) { add(from.node, from.group, from.bundles); }
  void one(const BundleInventory& from) { add(from.node, from.bundles); }
  void one(const GroupState& from) {
    add(from.spec, from.stage, from.infeasible, from.reason, from.nodes, from.version);
  }
  void one(const GroupRequest& from) {
    add(from.number, from.epoch, from.kind, from.spec, from.spec.home, from.group, from.wait_number, from.name,
        from.name_space, from.job);
  }
  void one(const GroupAnswer& from) { add(from.number, from.failure, from.groups); }
  void one(const GroupMessage& from) {
    add(from.index());
    std::visit([&](const auto& what) { one(what); }, from);
  }

 private:
  std::ostringstream out_;
};

std::string fields_of(const ClusterMessage& message) {
  Fields fields;
  fields.add(message.index());
  std::visit([&](const auto& one) { fields.one(one); }, message);
  return fields.text();
}

// --- At least one of each kind, all fields set.

constexpr uint64_t kHigh = 1ull << 63;  // in every 64 bit number: none goes through something smaller

std::vector<MemberInfo> members() {
  return {{node_key(1, kHigh), "a.example", 6379, std::string(32, '\xfe'), false, "a name", true, INT64_MAX},
          {node_key(2, 7), "10.0.0.2", 65535, "", true}};
}

NodeReport full_report(uint32_t number) {
  NodeState state =
      node_state({{"CPU", 8 * kUnit}, {"GPU", 2 * kUnit}, {"memory", 5}}, {{"zone", "eu"}, {"empty", ""}});
  state.available = {-3 * kUnit, 15'000, 4};
  state.gpu_free = {kUnit, 5'000};
  state.draining = true;
  state.waiting = kHigh + 3;
  state.demand = {{cpus(3), 17, false, "waits"}, {{{"GPU", 9 * kUnit}, {"x", 1}}, kHigh + 4, true, "no such node"}};
  state.store_used_bytes = kHigh + 5;
  state.store_capacity_bytes = kHigh + 6;
  return report_of(node_key(number, kHigh + number), kHigh + 7, state, kHigh + 8);
}

ViewBatch full_batch() {
  NodeReport short_report = full_report(2);
  short_report.statics = nullptr;
  return {.epoch = kHigh + 1,
          .from = kHigh + 2,
          .to = kHigh + 3,
          .members = std::vector{node_key(1), node_key(2)},
          .reports = {full_report(1), short_report},
          .gone = {node_key(3, 4), node_key(4, 5)}};
}

LeaseRequest full_request() {
  return {.client = node_key(1, 2),
          .server = node_key(3, 4),
          .number = kHigh + 5,
          .what = {.token = kHigh + 6,
                   .job = 1u << 31,
                   .language = 255,
                   .resources = {{"CPU", 1}, {"GPU", 2 * kUnit}},
                   .placement = {GroupId(node_id(9).bits()), 3, true}},
          .slots = kMaxSlotsOfLease,
          .wait_ns = INT64_MAX};
}

NamedActor full_actor() {
  return {node_key(1, kHigh + 1), std::string("0123456789abcde\0", 16), "Counter", std::string("\0info", 5), 3, -1};
}

GroupSpec full_group() {
  GroupSpec spec{.id = GroupId(node_id(9).bits()), .job = JobKey(node_id(8).bits()), .name = "ring"};
  spec.name_space = "space";
  spec.detached = true;
  spec.strategy = GroupStrategy::kStrictSpread;
  spec.bundles = {{cpus(1), {{"zone", LabelTerm::Op::kNotIn, {"eu", "us"}}, {"disk", LabelTerm::Op::kAbsent}}},
                  {{{"GPU", 2 * kUnit}, {"x", 1}}, {{"zone", LabelTerm::Op::kIn, {"eu"}}}}};
  return spec;
}

ClusterJob full_job() {
  return {.id = std::string(16, '\xff'),
          .name = "train",
          .name_space = "space",
          .driver_pid = 1u << 31,
          .node = node_key(1, kHigh + 1),
          .started_unix_ms = INT64_MAX,
          .ended_unix_ms = INT64_MAX - 1,
          .end = "its driver died"};
}

std::vector<ClusterMessage> group_kinds() {
  GroupId group(node_id(9).bits());
  NodeKey node = node_key(1, kHigh + 1);
  GroupSpec created = full_group();
  created.home = node;
  GroupState state{full_group(), GroupStage::kReplacing, true, "why not", {node, {}}, kHigh + 2};
  GroupState gone{.spec = {.id = group}, .stage = GroupStage::kGone, .version = kHigh + 3};
  using Kind = GroupRequest::Kind;
  auto request = [](GroupRequest made) { return ClusterMessage(GroupMessage(std::move(made))); };
  return {GroupMessage(PrepareBundles{kHigh + 1, node, group, kHigh + 2, {{0, cpus(1)}, {255, {{"x", 1}}}}}),
          GroupMessage(PrepareAnswer{node, group, kHigh + 1, true, "reason"}),
          GroupMessage(CommitBundles{kHigh + 1, node, group, kHigh + 2, {0, 255}}),
          GroupMessage(CommitAnswer{node, group, kHigh + 1, {0, 1}, {2, 255}}),
          GroupMessage(DropBundles{kHigh + 1, node, group, {{0, kHigh + 2}, {255, 3}}}),
          GroupMessage(DropAnswer{node, group, {{0, kHigh + 2}, {255, 3}}}),
          GroupMessage(BundleInventory{node, {{group, 3, kHigh + 1, true}, {group, 4, 2, false}}}),
          request({.number = kHigh + 1, .epoch = kHigh + 9, .kind = Kind::kCreate, .spec = created}),
          request({.number = kHigh + 2, .kind = Kind::kRemove, .group = group}),
          request({.number = kHigh + 3, .kind = Kind::kWait, .group = group}),
          request({.number = kHigh + 4, .kind = Kind::kCancelWait, .wait_number = kHigh + 5}),
          request({.number = kHigh + 6, .kind = Kind::kFind, .group = group}),
          request({.number = kHigh + 7, .kind = Kind::kFind, .name = "ring", .name_space = "space"}),
          request({.number = kHigh + 8, .kind = Kind::kEndJob, .job = full_group().job}),
          GroupMessage(GroupAnswer{kHigh + 1, not_found_error("nobody"), {}}),
          GroupMessage(GroupAnswer{kHigh + 1, {}, {state, gone}}),
          GroupMessage(state),
          GroupMessage(gone)};
}

std::vector<ClusterMessage> plain_kinds();
std::vector<ClusterMessage> all_kinds() {
  std::vector<ClusterMessage> kinds = plain_kinds();
  for (ClusterMessage& message : group_kinds()) {
    kinds.push_back(std::move(message));
  }
  return kinds;
}

std::vector<ClusterMessage> plain_kinds() {
  NodeKey client = node_key(1, kHigh + 1);
  NodeKey server = node_key(2, kHigh + 2);
  return {RegisterRequest{node_id(1), "name", "host", 65'000, "1.2.3", kHigh + 1, std::string(16, 's')},
          RegisterAnswer{.incarnation = kHigh + 1,
                         .cluster_id = std::string("0123456789abcde\0", 16),
                         .head = node_key(4, kHigh + 5),
                         .epoch = kHigh + 6,
                         .members = members()},
          RegisterAnswer{.failure = Error(ErrorKind::kExhausted, "full")},
          MembersMessage{kHigh + 1, kHigh + 2, members()},
          full_report(1),
          ReportAnswerMessage{kHigh + 1, ReportAnswer::kFenced},
          full_batch(),
          ViewPosition{kHigh + 1, kHigh + 2},
          full_request(),
          LeaseAnswer{client, server, kHigh + 1, LeaseOutcome::kRefused, 256, INT64_MAX, "why not", full_report(2)},
          LeaseStatus{client, server, kHigh + 3, kHigh + 4, {{kHigh + 5, 256}, {kHigh + 6, LeaseStatus::kAsked}}},
          LeaseStatusAnswer{client, server, kHigh + 7, INT64_MAX, {{kHigh + 8, 1}, {kHigh + 9, 256}}},
          LeaseRecall{client, server, kHigh + 1, 3},
          Heartbeat{kHigh + 1, kHigh + 2, kHigh + 3},
          HeartbeatAnswer{kHigh + 2},
          Leaving{"stopped"},
          ControlRequest{kHigh + 2, kHigh + 1, kHigh + 9,
                         NameRequest{NameRequest::Kind::kTake, {"space", "name"}, full_actor()}},
          ControlRequest{3, 3, kHigh + 9, NameRequest{NameRequest::Kind::kFind, {"space", "name"}, {}}},
          ControlRequest{4, 3, kHigh + 9, PutValue{std::string("k\0y", 3), std::string("\0v", 2), true}},
          ControlRequest{5, 3, kHigh + 9, GetValue{"key"}},
          ControlRequest{6, 3, kHigh + 9, EraseValue{"key"}},
          ControlRequest{7, 3, kHigh + 9, ListKeys{"pre", "prefix", 1024}},
          ControlRequest{8, 3, kHigh + 9, DrainNode{"ab12", INT64_MAX}},
          ControlRequest{9, 3, kHigh + 9, StartJob{full_job()}},
          ControlRequest{10, 3, kHigh + 9, EndJob{std::string(16, 'j'), "its driver left"}},
          ControlRequest{11, 3, kHigh + 9, ListJobs{}},
          ControlAnswer{kHigh + 3, {}, full_actor()},
          ControlAnswer{kHigh + 4, not_found_error("nobody"), {}},
          ControlAnswer{5, {}, Done{}},
          ControlAnswer{6, {}, true},
          ControlAnswer{7, {}, std::string("\0v", 2)},
          ControlAnswer{8, {}, KeyList{{"a", std::string("b\0", 2)}}},
          ControlAnswer{9, {}, client},
          ControlAnswer{10, {}, JobList{{full_job(), full_job()}}},
          LogLinesMessage{std::string(16, 'j'), kHigh + 5, {{7, 2, "task", "line\nline\n", kHigh}, {8, 1, "", "", 0}}},
          LogAnswer{std::string(16, 'j'), kHigh + 5},
          ReclaimActor{std::string(16, 'a'), UINT32_MAX},
          ActorReclaimed{std::string(16, 'a'), 7}};
}

void expect_same_again(const ClusterMessage& message) {
  auto again = decode_cluster_message(encode(message));
  ASSERT_TRUE(again.ok()) << again.error().to_string() << " kind " << message.index();
  EXPECT_EQ(fields_of(*again), fields_of(message));
}

void expect_refused(const ClusterMessage& message, const std::string& why) {
  auto again = decode_cluster_message(encode(message));
  ASSERT_FALSE(again.ok()) << why;
  EXPECT_EQ(again.error().kind(), ErrorKind::kInvalid) << again.error().to_string();
  EXPECT_NE(again.error().message().find(why), std::string::npos) << again.error().to_string();
}

// What came through the decoder is within its bounds: it goes and comes again. Else returns the kind of the error.
std::optional<ErrorKind> expect_error_or_whole(std::string_view bytes) {
  auto message = decode_cluster_message(bytes);
  if (!message.ok()) {
    return message.error().kind();
  }
  expect_same_again(*message);
  return std::nullopt;
}

TEST(ClusterWireTest, EveryKindGoesAndComesAgain) {
  std::set<size_t> kinds;
  for (const ClusterMessage& message : all_kinds()) {
    expect_same_again(message);
    kinds.insert(message.index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<ClusterMessage>);
}

TEST(ClusterWireTest, EveryKindOfAGroupsMessageGoesAndComesAgain) {
  std::set<size_t> kinds;
  for (const ClusterMessage& message : group_kinds()) {
    expect_same_again(message);
    kinds.insert(std::get<GroupMessage>(message).index());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<GroupMessage>);
}

TEST(ClusterWireTest, GroupsThatBreakTheirBoundsAreRefused) {
  GroupSpec many = full_group();
  many.bundles.assign(kMaxBundles + 1, {cpus(1)});
  expect_refused(GroupMessage(GroupRequest{.kind = GroupRequest::Kind::kCreate, .spec = many}), "256 bundles");
  GroupSpec empty = full_group();
  empty.bundles.clear();
  expect_refused(GroupMessage(GroupRequest{.kind = GroupRequest::Kind::kCreate, .spec = empty}), "bundles");
  expect_refused(GroupMessage(PrepareBundles{1, node_key(1), full_group().id, 1, {{kMaxBundles, cpus(1)}}}), "bundle");
  expect_refused(GroupMessage(GroupState{full_group(), GroupStage::kReady, false, "", {node_key(1)}, 1}), "together");
}

TEST(ClusterWireTest, WhatMayBeMissingMayBeMissing) {
  expect_same_again(RegisterRequest{.node_id = node_id(1), .start_id = std::string(16, 's')});
  expect_same_again(MembersMessage{});
  expect_same_again(ViewBatch{});
  expect_same_again(ViewBatch{.members = std::vector<NodeKey>()});  // a snapshot without anybody is one (V4)
  expect_same_again(LeaseAnswer{.client = node_key(1), .server = node_key(2)});
  LeaseRequest request = full_request();
  request.what.placement = {};
  request.what.resources = {};
  expect_same_again(request);
  for (auto answer : {ReportAnswer::kAccepted, ReportAnswer::kNeedsAll, ReportAnswer::kFenced}) {
    expect_same_again(ReportAnswerMessage{1, answer});
  }
  for (auto outcome : {LeaseOutcome::kGranted, LeaseOutcome::kWaiting, LeaseOutcome::kRefused}) {
    expect_same_again(LeaseAnswer{.client = node_key(1), .server = node_key(2), .outcome = outcome});
  }
}

TEST(ClusterWireTest, TruncatedItIsRefused) {
  for (const ClusterMessage& message : all_kinds()) {
    std::string bytes = encode(message);
    for (size_t size = 0; size < bytes.size(); ++size) {
      // Behind its end a message has nothing that could be missing.
      EXPECT_FALSE(decode_cluster_message(std::string_view(bytes).substr(0, size)).ok())
          << "kind " << message.index() << " size " << size;
    }
  }
}

TEST(ClusterWireTest, EveryBitFlippedItIsAnErrorOrAMessage) {
  for (const ClusterMessage& message : all_kinds()) {
    std::string bytes = encode(message);
    std::map<std::optional<ErrorKind>, size_t> outcomes;
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
      ++outcomes[expect_error_or_whole(flipped)];
    }
    EXPECT_GE(outcomes[ErrorKind::kUnsupported], 8u) << "of the 16 bits that say the kind, most are of none";
    EXPECT_GE(outcomes[ErrorKind::kInvalid], 32u) << "at least of the count and sizes of segments";
  }
}

TEST(ClusterWireTest, GarbageIsAnErrorOrAMessage) {
  Random random(20260711);
  std::vector<ClusterMessage> messages = all_kinds();
  for (int round = 0; round < 20'000; ++round) {
    SCOPED_TRACE(round);
    std::string bytes = encode(messages[random() % messages.size()]);
    for (uint64_t changes = 1 + random() % 8; changes > 0; --changes) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) {
      std::swap_ranges(bytes.begin(), bytes.begin() + 8,
                       bytes.begin() + static_cast<long>(random() % (bytes.size() / 8)) * 8);
    }
    expect_error_or_whole(bytes);
  }
  EXPECT_FALSE(decode_cluster_message(std::string(64, '\xff')).ok()) << "a count of segments that wraps round";
  EXPECT_FALSE(decode_cluster_message(std::string(kMaxClusterMessageBytes + 8, '\0')).ok());
}

TEST(ClusterWireTest, ListsThatAreTooLongAreRefused) {
  std::vector<NodeKey> keys(kMaxClusterNodes, node_key(1));
  std::vector<MemberInfo> infos(kMaxClusterNodes, MemberInfo{node_key(1), std::string(kMaxHostBytes, 'h'), 1,
                                                             std::string(kFingerprintBytes, 'f')});
  expect_same_again(MembersMessage{1, 1, infos});  // the largest that fits
  expect_same_again(ViewBatch{.members = keys, .gone = keys});
  keys.push_back(node_key(2));
  infos.push_back(infos.front());
  expect_refused(MembersMessage{1, 1, infos}, "too many members");
  expect_refused(
      RegisterAnswer{.incarnation = 1, .cluster_id = std::string(16, 'c'), .head = node_key(1), .members = infos},
      "too many members");
  expect_refused(ViewBatch{.members = keys}, "too many members");
  expect_refused(ViewBatch{.gone = keys}, "too many departures");
  NodeReport bare{.node = node_key(1), .version = 1, .statics_version = 1};
  expect_refused(ViewBatch{.reports = std::vector(kMaxClusterNodes + 1, bare)}, "too many reports");

  LeaseStatus status{
      .client = node_key(1), .server = node_key(2), .open = std::vector(kMaxLeasesOfClient, LeaseStatus::Open{})};
  expect_same_again(status);
  status.open.emplace_back();
  expect_refused(status, "too many leases");
  LeaseStatusAnswer held{.client = node_key(1), .server = node_key(2)};
  held.held.resize(kMaxLeasesOfClient + 1);
  expect_refused(held, "too many leases");

  LeaseRequest request = full_request();
  request.what.resources.clear();
  for (uint32_t i = 0; i <= node::kMaxResourcesPerRequest; ++i) {
    request.what.resources.push_back({"r" + std::to_string(i), 1});
  }
  expect_refused(request, "too many resources");

  auto changed = [](auto change) {
    NodeReport report = full_report(1);
    auto statics = std::make_shared<NodeStatics>(*report.statics);
    change(report, *statics);
    report.statics = statics;
    return report;
  };
  expect_refused(changed([](auto& report, auto&) { report.available.resize(33); }), "too many amounts");
  expect_refused(changed([](auto& report, auto&) { report.gpu_free.resize(65); }), "too many amounts");
  expect_refused(changed([](auto& report, auto&) { report.demand.resize(kMaxDemandShapes + 1); }), "kinds of demand");
  expect_refused(changed([&](auto&, auto& statics) { statics.total = request.what.resources; }), "too many resources");
  expect_refused(changed([](auto&, auto& statics) {
                   for (size_t i = 0; i <= kMaxLabels; ++i) {
                     statics.labels["l" + std::to_string(i)] = "";
                   }
                 }),
                 "too many labels");
}

TEST(ClusterWireTest, WhatDoesNotFitTogetherIsRefused) {
  expect_refused(RegisterRequest{}, "empty id");
  expect_refused(RegisterRequest{.node_id = node_id(1)}, "a start that is none");
  expect_refused(RegisterAnswer{.cluster_id = std::string(16, 'c'), .head = node_key(1)}, "without an incarnation");
  expect_refused(RegisterAnswer{.incarnation = 1, .cluster_id = std::string(15, 'c'), .head = node_key(1)},
                 "cluster's id");
  expect_refused(MembersMessage{1, 1, {{NodeKey{node_id(1), 0}}}}, "without an incarnation");
  expect_refused(MembersMessage{1, 1, {{.node = node_key(1), .fingerprint = std::string(31, 'f')}}}, "fingerprint");
  expect_refused(MembersMessage{1, 1, {{.node = node_key(1), .host = std::string(254, 'h')}}}, "too long a host");
  expect_refused(ViewBatch{.from = 2, .to = 1}, "backwards");
  expect_refused(LeaseRecall{node_key(1), NodeKey{}, 1, 1}, "empty id");
  expect_refused(LeaseRecall{node_key(1), node_key(2), 1, kMaxSlotsOfLease + 1}, "too many slots");
  expect_refused(LeaseRecall{node_key(1), node_key(2), 1, LeaseStatus::kAsked}, "too many slots");
  expect_refused(LeaseStatusAnswer{.client = node_key(1), .server = node_key(2), .valid_ns = -1}, "below zero");
  auto request = [](auto change) {
    LeaseRequest one = full_request();
    change(one);
    return one;
  };
  expect_refused(request([](auto& one) { one.slots = 0; }), "no slots");
  expect_refused(request([](auto& one) { one.wait_ns = -1; }), "below zero");
  expect_refused(request([](auto& one) { one.what.placement.bundle = -2; }), "bundle");
  expect_refused(request([](auto& one) { one.what.resources = {{"CPU", -1}}; }), "out of range");
  expect_refused(request([](auto& one) { one.what.resources = {{"GPU", kUnit + 1}}; }), "whole numbers");
}

TEST(ClusterWireTest, RequestsToTheControlStoreHaveBounds) {
  auto request = [](ControlQuestion what) { return ControlRequest{1, 1, 1, std::move(what)}; };
  expect_refused(ControlRequest{0, 0, kHigh + 9, GetValue{"k"}}, "numbers of requests");
  expect_refused(ControlRequest{1, 2, kHigh + 9, GetValue{"k"}}, "numbers of requests");
  expect_refused(request(GetValue{""}), "empty key");
  expect_refused(request(EraseValue{std::string(kMaxValueKeyBytes + 1, 'k')}), "too long");
  expect_same_again(request(PutValue{std::string(kMaxValueKeyBytes, 'k'), std::string(kMaxValueBytes, 'v')}));
  expect_refused(request(PutValue{"k", std::string(kMaxValueBytes + 1, 'v')}), "too long");
  expect_refused(request(PutValue{"", "v"}), "empty key");
  expect_refused(request(ListKeys{.limit = 0}), "no keys");
  expect_refused(request(ListKeys{.limit = kMaxListedKeys + 1}), "too many");
  expect_refused(request(ListKeys{.prefix = std::string(kMaxValueKeyBytes + 1, 'p')}), "too long");
  expect_refused(request(DrainNode{std::string(kMaxNodeNameBytes + 1, 'n')}), "too long a node");
  expect_refused(request(DrainNode{"n", -2}), "below zero");
  expect_refused(request(EndJob{"short", ""}), "a job that is none");
  NameRequest name{NameRequest::Kind::kTake, {std::string(kMaxActorNameBytes + 1, 'n'), "n"}, full_actor()};
  expect_refused(request(name), "too long a namespace");
  KeyList keys{std::vector<std::string>(kMaxListedKeys, std::string(kMaxValueKeyBytes, 'k'))};
  expect_same_again(ControlAnswer{1, {}, keys});
  keys.keys.push_back("k");
  expect_refused(ControlAnswer{1, {}, keys}, "too many keys");
  expect_refused(ControlAnswer{1, {}, std::string(kMaxValueBytes + 1, 'v')}, "too long");
  expect_refused(MembersMessage{1, 1, {{.node = node_key(1), .drain_left_ns = -2}}}, "below zero");
}

// Wherever a report is, check_report() was asked.
TEST(ClusterWireTest, ReportsThatBreakTheirBoundsAreRefused) {
  NodeReport report = full_report(1);
  report.available[0] = INT64_MIN;
  expect_refused(report, "out of range");
  expect_refused(ViewBatch{.reports = {full_report(2), report}}, "out of range");
  expect_refused(LeaseAnswer{.client = node_key(1), .server = node_key(2), .report = report}, "out of range");
  report = full_report(1);
  report.available.pop_back();
  expect_refused(report, "do not fit together");
  report = full_report(1);
  report.version = 0;
  expect_refused(report, "without its name or version");
}

TEST(ClusterWireTest, WordsThatThisReleaseDoesNotKnowAreUnsupported) {
  for (const ClusterMessage& message :
       {ClusterMessage(ReportAnswerMessage{1, static_cast<ReportAnswer>(3)}),
        ClusterMessage(LeaseAnswer{node_key(1), node_key(2), 1, static_cast<LeaseOutcome>(3)})}) {
    auto again = decode_cluster_message(encode(message));
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind(), ErrorKind::kUnsupported);
  }
}

TEST(ClusterWireTest, TextsForPeopleAreCut) {
  std::string text(100'000, 't');
  auto decoded = [](const ClusterMessage& message) { return decode_cluster_message(encode(message)).value(); };
  EXPECT_EQ(std::get<Leaving>(decoded(Leaving{text})).reason.size(), kMaxReasonBytes);
  EXPECT_EQ(std::get<RegisterAnswer>(decoded(RegisterAnswer{.failure = invalid_error(text)})).failure->message().size(),
            kMaxReasonBytes);
  auto request = std::get<RegisterRequest>(
      decoded(RegisterRequest{.node_id = node_id(1), .name = text, .release = text, .start_id = std::string(16, 's')}));
  EXPECT_EQ(request.name.size(), kMaxNodeNameBytes);
  EXPECT_EQ(request.release.size(), kMaxReleaseBytes);
  auto answer = decoded(LeaseAnswer{.client = node_key(1), .server = node_key(2), .reason = text});
  EXPECT_EQ(std::get<LeaseAnswer>(answer).reason.size(), kMaxReasonBytes);
}

// The hub fills batches by the estimate: it must not be far from the truth.
TEST(ClusterWireTest, TheEstimatedSizeIsAboutTheRealOne) {
  ViewBatch batch{.epoch = 1, .to = 1, .members = std::vector<NodeKey>()};
  for (uint32_t i = 1; i <= 100; ++i) {
    batch.members->push_back(node_key(i));
    batch.reports.push_back(full_report(i));
    batch.reports.back().demand.clear();
  }
  auto real = static_cast<double>(encode(batch).size());
  auto estimate = static_cast<double>(encoded_size_bytes(batch));
  EXPECT_GT(estimate, 0.7 * real);
  EXPECT_LT(estimate, 1.3 * real);
  RecordProperty("real_over_estimate_percent", static_cast<int>(100 * real / estimate));
}

}  // namespace
}  // namespace sabir::cluster
