#include "runtime/head/control_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "runtime/base/version.h"
#include "runtime/control/testing/manual_commit_queue.h"
#include "runtime/node/cluster/control_client.h"
#include "runtime/shm/layout_hash.h"

namespace sabir::head {
namespace {

using cluster::ClusterMessage;
using cluster::NodeId;
using cluster::NodeKey;
using control::MemoryStorage;
using control::testing::ManualCommitQueue;
using ::testing::HasSubstr;

NodeId id_of(uint32_t number) {
  IdBits bits;
  bits.bytes[0] = static_cast<uint8_t>(0xa0 + number / 256);
  bits.bytes[1] = static_cast<uint8_t>(number);
  bits.bytes[15] = 1;
  return NodeId(bits);
}

// A control store over a disk that a test moves; it may die and live again.
class Store : public ServiceOut {
 public:
  struct Said {
    NodeKey to;
    ClusterMessage message;
  };

  void begin_life() {
    service_.reset();
    transactor_.reset();
    disk_.emplace(medium_);
    staged_.emplace(disk_->epoch(), medium_->tables);
    tables_.emplace(&*staged_);
    ASSERT_TRUE(tables_->load().ok());
    queue_.emplace(&*disk_);
    transactor_.emplace(&*tables_, &*staged_, &*queue_, &clock, control::Transactor::Hooks());
    ServiceOptions options;
    options.cluster_id = std::string(16, 'c');
    options.head = id_of(0);
    options.unix_ms = [this] { return clock.now_ns() / kMillisecondNs + calendar_ms; };
    service_.emplace(&*tables_, &*transactor_, disk_->epoch(), options, &clock, Logger(), this);
    service_->begin();
  }

  ControlService& service() { return *service_; }
  ManualCommitQueue& queue() { return *queue_; }
  const control::ControlStore& tables() { return *tables_; }
  control::ControlStore& tables_now() { return *tables_; }
  uint64_t epoch() const { return disk_->epoch(); }

  void say(const NodeKey& to, const ClusterMessage& message) override { said.push_back({to, message}); }
  void answer_join(uint64_t number, const cluster::RegisterAnswer& answer) override {
    joined.emplace_back(number, answer);
  }

  ManualClock clock;
  int64_t calendar_ms = 1'000'000;  // ahead of the clock
  std::deque<Said> said;
  std::deque<std::pair<uint64_t, cluster::RegisterAnswer>> joined;

 private:
  std::shared_ptr<MemoryStorage::Medium> medium_ = std::make_shared<MemoryStorage::Medium>();
  std::optional<MemoryStorage> disk_;
  std::optional<control::StagedStorage> staged_;
  std::optional<control::ControlStore> tables_;
  std::optional<ManualCommitQueue> queue_;
  std::optional<control::Transactor> transactor_;
  std::optional<ControlService> service_;
};

rpc::JoinRequest join_request(uint64_t number, const NodeId& id, char start, const std::string& name = "node") {
  cluster::RegisterRequest request;
  request.node_id = id;
  request.name = name;
  request.host = "10.0.0.1";
  request.port = static_cast<uint16_t>(7000 + number);
  request.release = kVersion;
  request.layout_hash = shm::kLayoutHash;
  request.start_id = std::string(16, start);
  return {number, cluster::encode(request), std::string(32, 'f'), "10.0.0.9"};
}

class ControlServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.begin_life();
    head_ = join(0, id_of(0), 'h', "head");
  }

  cluster::RegisterAnswer try_to_join(uint64_t number, const NodeId& id, char start, const std::string& name) {
    store_.service().join(join_request(number, id, start, name));
    store_.queue().step_all();
    cluster::RegisterAnswer answer = store_.joined.back().second;
    EXPECT_EQ(store_.joined.back().first, number);
    return answer;
  }
  NodeKey join(uint64_t number, const NodeId& id, char start, const std::string& name = "node") {
    cluster::RegisterAnswer answer = try_to_join(number, id, start, name);
    EXPECT_FALSE(answer.failure) << answer.failure->to_string();
    return {id, answer.incarnation};
  }
  void say(const NodeKey& from, const ClusterMessage& message) {
    store_.service().receive(from, cluster::encode(message));
  }
  // What was said to the node since the last time, of this kind.
  template <typename T>
  std::vector<T> heard(const NodeKey& node) {
    std::vector<T> messages;
    std::deque<Store::Said> rest;
    for (Store::Said& said : store_.said) {
      if (said.to == node && std::holds_alternative<T>(said.message)) {
        messages.push_back(std::get<T>(said.message));
      } else {
        rest.push_back(std::move(said));
      }
    }
    store_.said = std::move(rest);
    return messages;
  }
  cluster::ControlAnswer ask(const NodeKey& from, uint64_t number, cluster::ControlQuestion what, uint64_t lowest = 1) {
    heard<cluster::ControlAnswer>(from);
    say(from, cluster::ControlRequest{number, lowest, store_.epoch(), std::move(what)});
    store_.queue().step_all();
    std::vector<cluster::ControlAnswer> answers = heard<cluster::ControlAnswer>(from);
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? cluster::ControlAnswer{} : answers[0];
  }
  cluster::NamedActor actor_of(const NodeKey& home, char id) {
    return {home, std::string(16, id), "Counter", "info", 1, 0};
  }
  cluster::NameRequest take(const NodeKey& home, char id, const std::string& name = "x") {
    return {cluster::NameRequest::Kind::kTake, {"space", name}, actor_of(home, id)};
  }
  cluster::NameRequest find(const std::string& name = "x") {
    return {cluster::NameRequest::Kind::kFind, {"space", name}, {}};
  }
  // Lets time pass; these nodes give signs of life all the time, and the next look is planned after each, as the shell
  // does.
  void pass(int64_t duration_ns, const std::vector<NodeKey>& living) {
    int64_t wake_ns = store_.service().next_wake_ns();
    for (int64_t passed = 0; passed < duration_ns; passed += 100 * kMillisecondNs) {
      store_.clock.advance_ns(100 * kMillisecondNs);
      for (const NodeKey& node : living) {
        say(node, cluster::Heartbeat{});
      }
      if (store_.clock.now_ns() >= wake_ns) {
        store_.service().tick();
        store_.queue().step_all();
      }
      wake_ns = store_.service().next_wake_ns();
    }
    store_.service().tick();
  }
  const cluster::MemberInfo& member(const cluster::MembersMessage& message, const NodeId& id) {
    for (const cluster::MemberInfo& info : message.members) {
      if (info.node.id == id) {
        return info;
      }
    }
    static const cluster::MemberInfo kNone;
    ADD_FAILURE() << "not told of";
    return kNone;
  }

  Store store_;
  NodeKey head_;
};

// --- Members

TEST_F(ControlServiceTest, TheSameStartGetsTheSameIncarnationAlsoInTheNextLife) {
  NodeKey node = join(1, id_of(1), 's');
  EXPECT_GT(node.incarnation, head_.incarnation);
  EXPECT_EQ(join(2, id_of(1), 's'), node);
  store_.begin_life();
  EXPECT_EQ(join(3, id_of(1), 's'), node);
  EXPECT_EQ(store_.service().living(), 2u);
  EXPECT_GT(join(4, id_of(2), 's').incarnation, node.incarnation);
}

TEST_F(ControlServiceTest, AnIdIsOneNodesAsLongAsItLives) {
  NodeKey node = join(1, id_of(1), 's');
  cluster::RegisterAnswer answer = try_to_join(2, id_of(1), 't', "copy");
  ASSERT_TRUE(answer.failure);
  EXPECT_EQ(answer.failure->kind(), ErrorKind::kAlreadyExists);
  EXPECT_THAT(answer.failure->message(), HasSubstr("10.0.0.1:7001"));
  answer = try_to_join(3, id_of(0), 't', "copy of the head");
  ASSERT_TRUE(answer.failure);
  EXPECT_THAT(answer.failure->message(), HasSubstr("copied state directory"));
  pass(11 * kSecondNs, {head_});
  EXPECT_GT(join(4, id_of(1), 't').incarnation, node.incarnation) << "the first one is dead";
}

TEST_F(ControlServiceTest, TheHeadsNextLifeEndsItsEarlierOne) {
  NodeKey node = join(1, id_of(1), 's');
  ASSERT_FALSE(ask(head_, 1, take(head_, 'a', "at-head")).failure);
  ASSERT_FALSE(ask(node, 1, take(node, 'b', "elsewhere")).failure);
  store_.begin_life();
  NodeKey again = join(0, id_of(0), 'i', "head");
  EXPECT_GT(again.incarnation, node.incarnation);
  store_.service().tick();
  std::vector<cluster::MembersMessage> told = heard<cluster::MembersMessage>(node);
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(member(told.back(), id_of(0)).node, again);
  EXPECT_EQ(ask(node, 2, find("at-head")).failure->kind(), ErrorKind::kNotFound) << "its home is gone";
  EXPECT_EQ(std::get<cluster::NamedActor>(ask(again, 1, find("elsewhere")).result), actor_of(node, 'b'));
  EXPECT_EQ(std::get<cluster::NamedActor>(ask(again, 2, take(again, 'c', "at-head")).result), actor_of(again, 'c'));
}

TEST_F(ControlServiceTest, WhoIsSilentIsDeadAndItsNamesAreFree) {
  NodeKey node = join(1, id_of(1), 's');
  NodeKey other = join(2, id_of(2), 's');
  ASSERT_FALSE(ask(node, 1, take(node, 'a')).failure);
  pass(9 * kSecondNs, {other});
  EXPECT_EQ(store_.service().living(), 3u);
  pass(3 * kSecondNs, {other});
  EXPECT_EQ(store_.service().living(), 2u) << "the head is never silent: this is its child";
  EXPECT_TRUE(member(heard<cluster::MembersMessage>(other).back(), id_of(1)).dead);
  EXPECT_EQ(ask(other, 1, find()).failure->kind(), ErrorKind::kNotFound);
  // M2
  say(node, cluster::NodeReport{.node = node, .version = 1, .statics_version = 1});
  EXPECT_EQ(heard<cluster::ReportAnswerMessage>(node).back().answer, cluster::ReportAnswer::kFenced);
  say(node, cluster::ControlRequest{2, 1, store_.epoch(), take(node, 'z')});
  EXPECT_TRUE(heard<cluster::ControlAnswer>(node).empty());
}

TEST_F(ControlServiceTest, ItsOwnSilenceIsNobodysDeath) {
  NodeKey node = join(1, id_of(1), 's');
  store_.clock.advance_ns(60 * kSecondNs);  // it is dead for a minute
  store_.begin_life();
  pass(9 * kSecondNs, {});
  EXPECT_EQ(store_.service().living(), 2u);
  pass(3 * kSecondNs, {});
  EXPECT_EQ(store_.service().living(), 1u) << "it had its time";
  EXPECT_EQ(node.id, id_of(1));
}

TEST_F(ControlServiceTest, ADeathIsOnTheDiskBeforeItIsSaid) {
  NodeKey node = join(1, id_of(1), 's');
  NodeKey other = join(2, id_of(2), 's');
  store_.service().tick();
  heard<cluster::MembersMessage>(other);
  say(node, cluster::Leaving{"stopped"});
  store_.service().tick();
  EXPECT_TRUE(heard<cluster::MembersMessage>(other).empty());
  store_.queue().step(1, exhausted_error("full"));
  store_.service().tick();
  EXPECT_EQ(store_.service().living(), 3u) << "the disk refused it";
  store_.clock.advance_ns(kSecondNs);
  say(node, cluster::Leaving{"stopped"});
  store_.queue().step_all();
  store_.service().tick();
  EXPECT_TRUE(member(heard<cluster::MembersMessage>(other).back(), id_of(1)).dead);
}

TEST_F(ControlServiceTest, AHeartbeatThatKnowsSomethingElseIsToldOfTheMembers) {
  NodeKey node = join(1, id_of(1), 's');
  store_.service().tick();
  cluster::MembersMessage told = heard<cluster::MembersMessage>(node).back();
  say(node, cluster::Heartbeat{5, told.epoch, told.version});
  EXPECT_EQ(heard<cluster::HeartbeatAnswer>(node).back().sequence, 5u);
  EXPECT_TRUE(heard<cluster::MembersMessage>(node).empty());
  join(2, id_of(2), 's');
  say(node, cluster::Heartbeat{6, told.epoch, told.version});
  EXPECT_EQ(heard<cluster::MembersMessage>(node).back().members.size(), 3u);
  store_.begin_life();
  store_.service().tick();
  EXPECT_GT(heard<cluster::MembersMessage>(node).back().epoch, told.epoch);
}

TEST_F(ControlServiceTest, ReportsAreSpreadAlsoByTheNextLife) {
  NodeKey node = join(1, id_of(1), 's');
  cluster::NodeReport report{.node = node, .version = 7, .statics_version = 3};
  report.available = {};
  say(node, report);
  EXPECT_EQ(heard<cluster::ReportAnswerMessage>(node).back().answer, cluster::ReportAnswer::kNeedsAll);
  report.statics = std::make_shared<cluster::NodeStatics>(cluster::NodeStatics{3, {{"CPU", 10'000}}, {}});
  report.available = {5'000};
  say(node, report);
  EXPECT_EQ(heard<cluster::ReportAnswerMessage>(node).back().answer, cluster::ReportAnswer::kAccepted);
  say(head_, cluster::ViewPosition{});
  store_.clock.advance_ns(kSecondNs);
  store_.service().tick();
  std::vector<cluster::ViewBatch> batches = heard<cluster::ViewBatch>(head_);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].reports.size(), 1u);
  store_.begin_life();
  report.version = 8;
  report.statics = nullptr;
  say(node, report);
  EXPECT_EQ(heard<cluster::ReportAnswerMessage>(node).back().answer, cluster::ReportAnswer::kNeedsAll);
}

TEST_F(ControlServiceTest, WordsThatAreNoneAreIgnored) {
  NodeKey node = join(1, id_of(1), 's');
  store_.said.clear();
  store_.service().receive(node, "garbage");
  store_.service().receive({id_of(7), 7}, cluster::encode(cluster::Heartbeat{}));
  say(node, cluster::HeartbeatAnswer{});
  store_.service().join({9, "garbage", "", "host"});
  EXPECT_TRUE(store_.said.empty());
  EXPECT_EQ(store_.joined.back().second.failure->kind(), ErrorKind::kInvalid);
}

// --- Requests

TEST_F(ControlServiceTest, ANameIsOneActors) {
  NodeKey node = join(1, id_of(1), 's');
  EXPECT_EQ(std::get<cluster::NamedActor>(ask(head_, 1, take(head_, 'a')).result), actor_of(head_, 'a'));
  EXPECT_EQ(std::get<cluster::NamedActor>(ask(node, 1, take(node, 'b')).result), actor_of(head_, 'a'));
  EXPECT_EQ(ask(node, 2, take(head_, 'b')).failure->kind(), ErrorKind::kInvalid) << "not its own";
  cluster::NameRequest free = take(head_, 'a');
  free.kind = cluster::NameRequest::Kind::kFree;
  EXPECT_TRUE(std::holds_alternative<cluster::Done>(ask(head_, 2, free).result));
  EXPECT_EQ(ask(node, 3, find()).failure->kind(), ErrorKind::kNotFound);
  EXPECT_EQ(std::get<cluster::NamedActor>(ask(node, 4, take(node, 'b')).result), actor_of(node, 'b'));
}

TEST_F(ControlServiceTest, ARequestThatComesAgainIsAnsweredAndNotRunAgain) {
  EXPECT_TRUE(std::get<bool>(ask(head_, 1, cluster::PutValue{"k", "1"}).result));
  EXPECT_TRUE(std::get<bool>(ask(head_, 2, cluster::EraseValue{"k"}).result));
  EXPECT_TRUE(std::get<bool>(ask(head_, 1, cluster::PutValue{"k", "1"}).result));
  EXPECT_EQ(ask(head_, 3, cluster::GetValue{"k"}).failure->kind(), ErrorKind::kNotFound);
  store_.begin_life();
  EXPECT_TRUE(std::get<bool>(ask(head_, 2, cluster::EraseValue{"k"}).result));
  EXPECT_TRUE(std::get<bool>(ask(head_, 1, cluster::PutValue{"k", "1"}).result));
  EXPECT_EQ(ask(head_, 3, cluster::GetValue{"k"}).failure->kind(), ErrorKind::kNotFound);
}

TEST_F(ControlServiceTest, ARequestOfAnEarlierLifeIsNotRun) {
  uint64_t before = store_.epoch();
  store_.begin_life();
  store_.said.clear();
  say(head_, cluster::ControlRequest{1, 1, before, cluster::PutValue{"k", "late"}});
  store_.queue().step_all();
  EXPECT_TRUE(heard<cluster::ControlAnswer>(head_).empty());
  EXPECT_EQ(heard<cluster::MembersMessage>(head_).back().epoch, store_.epoch()) << "it is told, and asks again";
  EXPECT_EQ(ask(head_, 2, cluster::GetValue{"k"}).failure->kind(), ErrorKind::kNotFound);
}

TEST_F(ControlServiceTest, KeysAndValues) {
  EXPECT_TRUE(std::get<bool>(ask(head_, 1, cluster::PutValue{"a/1", "x"}).result));
  EXPECT_FALSE(std::get<bool>(ask(head_, 2, cluster::PutValue{"a/1", "y", false}).result));
  EXPECT_EQ(std::get<std::string>(ask(head_, 3, cluster::GetValue{"a/1"}).result), "x");
  EXPECT_FALSE(std::get<bool>(ask(head_, 4, cluster::PutValue{"a/1", "y", true}).result));
  EXPECT_TRUE(std::get<bool>(ask(head_, 5, cluster::PutValue{"a/2", "z"}).result));
  EXPECT_TRUE(std::get<bool>(ask(head_, 6, cluster::PutValue{"b", "z"}).result));
  auto keys = std::get<cluster::KeyList>(ask(head_, 7, cluster::ListKeys{"a/", "", 10}).result).keys;
  EXPECT_EQ(keys, (std::vector<std::string>{"a/1", "a/2"}));
  EXPECT_TRUE(std::get<bool>(ask(head_, 8, cluster::EraseValue{"a/1"}).result));
  EXPECT_FALSE(std::get<bool>(ask(head_, 9, cluster::EraseValue{"a/1"}).result));
  EXPECT_EQ(ask(head_, 2'000, cluster::PutValue{"c", "x"}).failure->kind(), ErrorKind::kExhausted) << "too many open";
}

TEST_F(ControlServiceTest, AnAnswerLeavesWhenItIsOnTheDisk) {
  say(head_, cluster::ControlRequest{1, 1, store_.epoch(), cluster::PutValue{"k", "1"}});
  say(head_, cluster::ControlRequest{2, 1, store_.epoch(), cluster::GetValue{"k"}});
  EXPECT_TRUE(heard<cluster::ControlAnswer>(head_).empty());
  store_.queue().step_all();
  EXPECT_EQ(heard<cluster::ControlAnswer>(head_).size(), 2u);
}

TEST_F(ControlServiceTest, AFullDiskRefusesChangesAndReadsGoOn) {
  ASSERT_FALSE(ask(head_, 1, cluster::PutValue{"k", "1"}).failure);
  say(head_, cluster::ControlRequest{2, 1, store_.epoch(), cluster::PutValue{"k", "2"}});
  store_.queue().step(1, exhausted_error("full"));
  EXPECT_EQ(heard<cluster::ControlAnswer>(head_).back().failure->kind(), ErrorKind::kExhausted);
  EXPECT_EQ(ask(head_, 3, cluster::PutValue{"k", "3"}).failure->kind(), ErrorKind::kExhausted);
  EXPECT_EQ(std::get<std::string>(ask(head_, 4, cluster::GetValue{"k"}).result), "1");
  store_.clock.advance_ns(kSecondNs);
  EXPECT_FALSE(ask(head_, 5, cluster::PutValue{"k", "5"}).failure);
}

TEST_F(ControlServiceTest, AtTheEndNothingIsAnswered) {
  say(head_, cluster::ControlRequest{1, 1, store_.epoch(), cluster::PutValue{"k", "1"}});
  store_.queue().step(1, Error(ErrorKind::kSystem, "disk I/O error"));
  say(head_, cluster::ControlRequest{2, 1, store_.epoch(), cluster::GetValue{"k"}});
  EXPECT_TRUE(heard<cluster::ControlAnswer>(head_).empty());
}

// --- Jobs

TEST_F(ControlServiceTest, JobsAreKnownToAllAndEndWithTheirNode) {
  NodeKey node = join(1, id_of(1), 's');
  auto job = [&](char id, const NodeKey& of) {
    cluster::ClusterJob made{.id = std::string(16, id), .name = "train", .name_space = "space", .driver_pid = 7};
    made.node = of;
    return cluster::StartJob{made};
  };
  ASSERT_FALSE(ask(node, 1, job('a', node)).failure);
  ASSERT_FALSE(ask(node, 2, job('b', node)).failure);
  ASSERT_FALSE(ask(node, 3, job('b', node)).failure) << "the same";
  EXPECT_EQ(ask(node, 4, job('c', head_)).failure->kind(), ErrorKind::kInvalid) << "another node's";
  ASSERT_FALSE(ask(node, 5, cluster::EndJob{std::string(16, 'a'), "its driver left"}).failure);
  ASSERT_FALSE(ask(head_, 1, cluster::EndJob{std::string(16, 'b'), "somebody says so"}).failure);
  ASSERT_FALSE(ask(node, 6, cluster::EndJob{std::string(16, 'z'), "never heard of"}).failure);
  auto listed = [&](uint64_t number) {
    return std::get<cluster::JobList>(ask(head_, number, cluster::ListJobs{}).result).jobs;
  };
  std::vector<cluster::ClusterJob> jobs = listed(2);
  ASSERT_EQ(jobs.size(), 2u);
  EXPECT_EQ(jobs[0].end, "its driver left");
  EXPECT_GE(jobs[0].ended_unix_ms, jobs[0].started_unix_ms);
  EXPECT_EQ(jobs[1].ended_unix_ms, 0) << "it runs";
  EXPECT_EQ(jobs[1].node, node);
  EXPECT_EQ(jobs[1].name, "train");
  store_.begin_life();
  EXPECT_EQ(listed(3), jobs);
  say(node, cluster::Leaving{"stopped"});
  store_.queue().step_all();
  jobs = listed(4);
  EXPECT_GT(jobs[1].ended_unix_ms, 0);
  EXPECT_THAT(jobs[1].end, HasSubstr("its node is gone"));
}

// --- Draining

TEST_F(ControlServiceTest, ADrainedNodeIsToldAndStaysSoInTheNextLife) {
  NodeKey node = join(1, id_of(1), 's', "worker");
  NodeKey other = join(2, id_of(2), 's', "other");
  EXPECT_EQ(std::get<NodeKey>(ask(head_, 1, cluster::DrainNode{"worker", -1}).result), node);
  store_.service().tick();
  cluster::MemberInfo told = member(heard<cluster::MembersMessage>(node).back(), id_of(1));
  EXPECT_TRUE(told.draining);
  EXPECT_EQ(told.drain_left_ns, -1);
  EXPECT_FALSE(member(heard<cluster::MembersMessage>(other).back(), id_of(2)).draining);
  store_.begin_life();
  store_.service().tick();
  EXPECT_TRUE(member(heard<cluster::MembersMessage>(node).back(), id_of(1)).draining);
}

TEST_F(ControlServiceTest, WhoIsMeantByANameOrAnId) {
  NodeKey node = join(1, id_of(1), 's', "worker");
  join(2, id_of(2), 's', "twin");
  join(3, id_of(3), 's', "twin");
  auto refused = [&](uint64_t number, const std::string& name) {
    cluster::ControlAnswer answer = ask(head_, number, cluster::DrainNode{name, -1});
    return answer.failure ? answer.failure->to_string() : std::string("drained");
  };
  EXPECT_THAT(refused(1, "nobody"), HasSubstr("not found"));
  EXPECT_THAT(refused(2, "twin"), HasSubstr("2 nodes"));
  EXPECT_THAT(refused(3, "a0"), HasSubstr("not found")) << "too little of an id";
  EXPECT_THAT(refused(4, "head"), HasSubstr("cannot be drained"));
  EXPECT_EQ(refused(5, node.id.hex().substr(0, 8)), "drained");
}

TEST_F(ControlServiceTest, WhoDoesNotLeaveInTimeIsDead) {
  NodeKey node = join(1, id_of(1), 's', "worker");
  ASSERT_FALSE(ask(head_, 1, cluster::DrainNode{"worker", 5 * kSecondNs}).failure);
  EXPECT_EQ(member(heard<cluster::MembersMessage>(head_).back(), id_of(1)).drain_left_ns, 5 * kSecondNs);
  pass(14 * kSecondNs, {node});
  EXPECT_EQ(store_.service().living(), 2u);
  pass(3 * kSecondNs, {node});
  EXPECT_EQ(store_.service().living(), 1u);
}

TEST_F(ControlServiceTest, ACalendarThatIsSetEndsNobodysTimeForDraining) {
  NodeKey node = join(1, id_of(1), 's', "worker");
  ASSERT_FALSE(ask(head_, 1, cluster::DrainNode{"worker", 5 * kSecondNs}).failure);
  for (int64_t hours : {+6, -6}) {
    store_.calendar_ms += hours * 3600 * 1000;
    pass(2 * kSecondNs, {node});
    EXPECT_EQ(store_.service().living(), 2u);
  }
  store_.calendar_ms += int64_t{24} * 3600 * 1000;
  store_.begin_life();
  pass(4 * kSecondNs, {node});
  EXPECT_EQ(store_.service().living(), 2u) << "it had no time to leave in this life";
  pass(10 * kSecondNs, {node});
  EXPECT_EQ(store_.service().living(), 1u);
}

// --- Everything at once: nodes that come and go, words that are lost, a disk that is full, a control store and a head
// that die. Whatever was answered is so.

class World {
 public:
  explicit World(uint32_t seed) : random_(seed) {
    store_.begin_life();
    join_head();
    for (int i = 0; i < 4; ++i) {
      add_node();
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      step();
    }
  }

  void finish() {
    for (int round = 0; round < 60; ++round) {
      beat_all();
      store_.clock.advance_ns(kSecondNs);
      store_.queue().step_all();
      settle(false);
    }
    for (auto& [key, node] : nodes_) {
      EXPECT_EQ(node->client.open(), 0u) << "everybody is answered";
    }
    check();
  }

  uint64_t answered = 0;
  int kills = 0;
  int head_lives = 0;
  int refusals = 0;

 private:
  struct Node {
    Node(const Clock* clock, NodeKey key) : key(key), client(clock, {}) {}
    const NodeKey key;
    cluster::ControlClient client;
    uint64_t epoch = 0;
    uint64_t version = 0;
    std::map<std::string, std::optional<std::string>> values;  // as answered
    std::set<std::string> under_way;                           // keys and names with a question open
    std::map<std::string, std::string> names;                  // its own, by name: the actor
  };

  uint32_t pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
  Node& any_node() { return *std::next(nodes_.begin(), pick(static_cast<uint32_t>(nodes_.size())))->second; }

  void step() {
    switch (pick(14)) {
      case 0:
      case 1:
      case 2:
        put(any_node());
        break;
      case 3:
      case 4:
        name(any_node());
        break;
      case 5:
        read(any_node());
        break;
      case 6:
      case 7:
        store_.queue().step(1 + pick(5));
        break;
      case 8:
        store_.clock.advance_ns(pick(700) * kMillisecondNs);
        beat_all();
        break;
      case 9:
        if (pick(6) == 0 && store_.queue().size() > 0) {
          store_.queue().step(1 + pick(3), exhausted_error("database or disk is full"));
        }
        break;
      case 10:
        if (pick(5) == 0) {
          kill_store();
        }
        break;
      case 11:
        if (pick(40) == 0) {
          kill_head();
        }
        break;
      case 12:
        if (pick(30) == 0 && nodes_.size() < 6) {
          add_node();
        }
        break;
      case 13:
        if (pick(40) == 0) {
          lose_node();
        }
        break;
    }
    settle(pick(10) == 0);
  }

  void kill_store() {
    ++kills;
    store_.queue().write_without_answer(pick(4));
    store_.said.clear();
    store_.joined.clear();
    store_.begin_life();
  }

  void kill_head() {
    ++head_lives;
    kill_store();
    nodes_.erase(head_);
    join_head();
  }

  NodeKey join(uint64_t number, const NodeId& id) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      store_.service().join(join_request(number, id, static_cast<char>(1 + starts_ % 100)));
      store_.queue().step_all();
      if (!store_.joined.empty() && !store_.joined.back().second.failure) {
        uint64_t incarnation = store_.joined.back().second.incarnation;
        EXPECT_TRUE(incarnations_.insert(incarnation).second) << "given twice";
        EXPECT_EQ(incarnation, *incarnations_.rbegin());
        return {id, incarnation};
      }
      store_.clock.advance_ns(kSecondNs);  // the disk is full
      beat_all();
    }
    ADD_FAILURE() << "nobody gets in";
    return {};
  }
  void join_head() {
    ++starts_;
    head_ = join(0, id_of(0));
    nodes_.emplace(head_, std::make_unique<Node>(&store_.clock, head_));
  }
  void add_node() {
    ++starts_;
    NodeKey key = join(1 + starts_, id_of(1 + starts_));
    nodes_.emplace(key, std::make_unique<Node>(&store_.clock, key));
  }
  void lose_node() {
    if (auto node = std::next(nodes_.begin(), pick(static_cast<uint32_t>(nodes_.size()))); node->first != head_) {
      nodes_.erase(node);  // in time it is declared dead
    }
  }

  void beat_all() {
    for (auto& [key, node] : nodes_) {
      say(*node, cluster::Heartbeat{1, node->epoch, node->version});
    }
  }
  void say(const Node& node, const ClusterMessage& message) {
    store_.service().receive(node.key, cluster::encode(message));
  }

  // Words go to and fro until nobody has any; some are lost.
  void settle(bool lossy) {
    store_.service().tick();
    for (auto& [key, node] : nodes_) {
      for (const cluster::ControlRequest& request : node->client.due(node->epoch)) {
        if (!lossy || pick(3) != 0) {
          say(*node, request);
        }
      }
    }
    while (!store_.said.empty()) {
      Store::Said said = std::move(store_.said.front());
      store_.said.pop_front();
      auto node = nodes_.find(said.to);
      if (node == nodes_.end() || (lossy && pick(3) == 0)) {
        continue;
      }
      hear(*node->second, said.message);
    }
  }
  void hear(Node& node, const ClusterMessage& message) {
    if (auto* members = std::get_if<cluster::MembersMessage>(&message)) {
      if (members->epoch > node.epoch) {
        node.client.repeat_all();
      }
      node.epoch = members->epoch;
      node.version = members->version;
    } else if (auto* answer = std::get_if<cluster::ControlAnswer>(&message)) {
      node.client.answered(*answer);
    }
  }

  static constexpr int64_t kPatienceNs = 100'000 * kSecondNs;

  void put(Node& node) {
    std::string key = std::to_string(node.key.incarnation) + "/" + std::to_string(pick(5));
    if (!node.under_way.insert(key).second) {
      return;
    }
    std::optional<std::string> value;
    cluster::ControlQuestion question = cluster::EraseValue{key};
    if (pick(4) != 0) {
      value = std::to_string(++last_value_);
      question = cluster::PutValue{key, *value, true};
    }
    node.client.ask(question, kPatienceNs, [this, &node, key, value](Result<cluster::ControlResult> result) {
      node.under_way.erase(key);
      if (!result.ok()) {
        EXPECT_EQ(result.error().kind(), ErrorKind::kExhausted);
        ++refusals;
        return;
      }
      auto& known = node.values[key];
      bool was_there = known.has_value();
      EXPECT_EQ(std::get<bool>(*result), value ? !was_there : was_there) << key;
      known = value;
      ++answered;
    });
  }

  void read(Node& node) {
    std::string key = std::to_string(node.key.incarnation) + "/" + std::to_string(pick(5));
    if (!node.under_way.insert(key).second) {
      return;
    }
    node.client.ask(cluster::GetValue{key}, kPatienceNs, [&node, key](Result<cluster::ControlResult> result) {
      node.under_way.erase(key);
      const auto& known = node.values[key];
      EXPECT_EQ(result.ok() ? std::optional(std::get<std::string>(*result)) : std::nullopt, known) << key;
    });
  }

  void name(Node& node) {
    std::string name = "name" + std::to_string(pick(6));
    if (!node.under_way.insert(name).second) {
      return;
    }
    cluster::NameRequest request{cluster::NameRequest::Kind::kFree, {"space", name}, {}};
    auto own = node.names.find(name);
    bool takes = own == node.names.end();
    std::string actor_id = takes ? std::to_string(1'000'000'000'000'000 + ++last_value_) : own->second;
    request.kind = takes ? cluster::NameRequest::Kind::kTake : cluster::NameRequest::Kind::kFree;
    request.actor = cluster::NamedActor{node.key, actor_id, "Class", "", 1, 0};
    node.client.ask(request, kPatienceNs, [this, &node, name, takes, actor_id](Result<cluster::ControlResult> result) {
      node.under_way.erase(name);
      if (!result.ok()) {
        refusals += result.error().kind() == ErrorKind::kExhausted ? 1 : 0;
        EXPECT_TRUE(result.error().kind() == ErrorKind::kExhausted ||
                    (takes && result.error().kind() == ErrorKind::kNotFound))
            << result.error().to_string();
        return;
      }
      ++answered;
      if (!takes) {
        node.names.erase(name);
      } else if (std::get<cluster::NamedActor>(*result).actor_id == actor_id) {
        node.names[name] = actor_id;
      }
    });
  }

  void check() {
    std::set<std::string> names;
    for (auto& [key, node] : nodes_) {
      for (const auto& [name, actor] : node->names) {
        EXPECT_TRUE(names.insert(name).second) << "two nodes have " << name;
        const control::NamedActor* found = store_.tables_now().names().find({"space", name});
        EXPECT_TRUE(found != nullptr && found->actor_id == actor && found->home == ref_of(key)) << name;
      }
      for (const auto& [name, value] : node->values) {
        Result<std::string> there = store_.tables_now().key_value().get(name);
        EXPECT_EQ(there.ok() ? std::optional(*there) : std::nullopt, value) << name;
      }
    }
    EXPECT_EQ(store_.tables_now().names().count(), names.size()) << "names of the dead are free";
    EXPECT_EQ(store_.service().living(), nodes_.size());
  }

  std::mt19937 random_;
  Store store_;
  NodeKey head_;
  std::map<NodeKey, std::unique_ptr<Node>> nodes_;
  std::set<uint64_t> incarnations_;
  uint32_t starts_ = 0;
  uint64_t last_value_ = 0;
};

TEST(ControlServiceWorldTest, WhatWasAnsweredIsSoWhateverDies) {
  uint64_t answered = 0;
  int kills = 0;
  int head_lives = 0;
  int refusals = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(1'000);
    world.finish();
    answered += world.answered;
    kills += world.kills;
    head_lives += world.head_lives;
    refusals += world.refusals;
    if (HasFailure()) {
      return;
    }
  }
  EXPECT_GT(answered, 5'000u);
  EXPECT_GT(kills, 500);
  EXPECT_GT(head_lives, 30);
  EXPECT_GT(refusals, 50);
}

}  // namespace
}  // namespace sabir::head
