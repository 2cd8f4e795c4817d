// Each method of the control channel, from a client's call to a handler's and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "runtime/base/clock.h"
#include "runtime/loop/event_port.h"
#include "runtime/rpc/testing/fake_node.h"

namespace sabir::rpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kLong = 20 * kSecondNs;

std::string content_of(const UniqueFd& fd) {
  char buffer[64];
  ssize_t size = pread(fd.get(), buffer, sizeof(buffer), 0);
  return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
}

class SessionTest : public testing::Test {
 protected:
  FakeNode node_;
  FakeNotices notices_;
  std::unique_ptr<SessionClient> client_ = node_.client(&notices_);
};

TEST_F(SessionTest, WelcomeCarriesWhatTheNodeSaysAndItsDescriptors) {
  WelcomeInfo& welcome = client_->welcome();
  EXPECT_EQ(welcome.version, 1u);
  EXPECT_EQ(welcome.session_id, std::string(16, 's'));
  EXPECT_EQ(welcome.process, (ProcessKey{7, 1}));
  EXPECT_EQ(welcome.job_config.name_space, "space");
  EXPECT_EQ(welcome.job_config.language_envs, FakeNode::driver_hello().job.language_envs);
  EXPECT_EQ(welcome.job_config.opaque, std::string("\0opaque", 7));
  EXPECT_FALSE(welcome.actor.present);
  EXPECT_EQ(content_of(welcome.node_fd), "node");
  EXPECT_EQ(content_of(welcome.calls_fd), "calls");
  EXPECT_EQ(content_of(welcome.objects_fd), "objects");
  EXPECT_EQ(content_of(welcome.daemon_doorbell_fd), "doorbell");
  EXPECT_EQ(node_.handler().peer_pid(), static_cast<uint32_t>(getpid()));
}

TEST_F(SessionTest, WorkerLearnsOfItsActor) {
  FakeNotices notices;
  auto worker = node_.client(&notices, FakeNode::hello_of(HelloKind::kWorker));
  const HostedActor& actor = worker->welcome().actor;
  EXPECT_TRUE(actor.present);
  EXPECT_EQ(actor.actor, 3u);
  EXPECT_EQ(actor.incarnation, 4u);
  EXPECT_EQ(actor.class_function, 5u);
  EXPECT_EQ(actor.args, "arguments of token");
  EXPECT_EQ(actor.max_concurrency, 6u);
}

TEST_F(SessionTest, Lend) {
  EXPECT_EQ(client_->lend(LendKind::kCells, kLong).value(), 1u);
  EXPECT_EQ(client_->lend(LendKind::kBlocks, kLong).value(), 2u);
  EXPECT_THAT(node_.handler().calls(), ElementsAre("lend 0", "lend 2"));
}

TEST_F(SessionTest, Loans) {
  LoanInfo loan = client_->loan(1 << 20, 5, kLong).value();
  EXPECT_EQ(loan.offset, 4096u);
  EXPECT_EQ(loan.size_bytes, 1u << 20);
  EXPECT_TRUE(loan.reused);
  EXPECT_TRUE(client_->return_loan(4096, kLong).ok());
  auto full = client_->loan(uint64_t{1} << 40, 0, kLong);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.error().kind(), ErrorKind::kStoreFull);
  EXPECT_EQ(full.error().message(), "objects of job 1 fill the store");
  auto unknown = client_->return_loan(0, kLong);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().kind(), ErrorKind::kInvalid);
}

TEST_F(SessionTest, DeclareClass) {
  ClassInfo info = client_->declare_class(3, {{"CPU", 10000}, {"memory", -1}}, {}, kLong).value();
  EXPECT_EQ(info.class_index, 3u);
  EXPECT_EQ(info.queue, 2u);
  EXPECT_EQ(info.infeasible, "CPU=10000 memory=-1 ");
  Scheduling scheduling;
  scheduling.kind = Scheduling::Kind::kNode;
  scheduling.node_id = "sixteen bytes id";
  scheduling.soft = true;
  scheduling.labels = {{"zone", "in(eu, us)"}};
  scheduling.fallback = {{{"zone", "!asia"}}, {{"disk", "exists()"}}};
  EXPECT_EQ(client_->declare_class(3, {}, scheduling, kLong)->infeasible,
            "zone:in(eu, us) else zone:!asia else disk:exists() sixteen bytes id soft");
}

TEST_F(SessionTest, Functions) {
  std::string code(3 << 20, '\x81');
  EXPECT_EQ(client_->export_function({1, 2, "f", code}, kLong).value(), 0u);
  FunctionInfo function = client_->fetch_function(0, kLong).value();
  EXPECT_EQ(function.kind, 1u);
  EXPECT_EQ(function.language, 2);
  EXPECT_EQ(function.name, "f");
  EXPECT_EQ(function.code, code);
  EXPECT_EQ(client_->fetch_function(9, kLong).error().kind(), ErrorKind::kNotFound);
}

TEST_F(SessionTest, WhatIsTooLargeIsRefusedByItsCallerAndHarmsNobody) {
  std::string code(61 << 20, 'x');
  auto result = client_->export_function({1, 2, "f", code}, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kInvalid);
  EXPECT_TRUE(client_->lend(LendKind::kCells, kLong).ok());
}

TEST_F(SessionTest, Actors) {
  ActorSpec spec;
  spec.name = "a";
  spec.class_name = "A";
  spec.class_info = "info";
  spec.max_task_retries = -1;
  spec.resources = {{"CPU", 1}};
  ActorInfo info = client_->create_actor(spec, kLong).value();
  EXPECT_EQ(info.name, "a");
  EXPECT_EQ(info.class_info, "info");
  EXPECT_EQ(info.max_task_retries, -1);
  EXPECT_EQ(info.generation, 3u);
  EXPECT_FALSE(info.existed);
  EXPECT_EQ(client_->create_actor(spec, kLong).error().kind(), ErrorKind::kAlreadyExists);
  spec.get_if_exists = true;
  EXPECT_TRUE(client_->create_actor(spec, kLong).value().existed);
  EXPECT_EQ(client_->get_actor("a", "space", kLong).value().class_name, "A");
  EXPECT_EQ(client_->get_actor("b", "", kLong).error().kind(), ErrorKind::kNotFound);
  ActorDescription description = client_->describe_actor(5, 77, kLong).value();
  EXPECT_EQ(description.info.generation, 77u);
  EXPECT_EQ(description.error, "why it ended");
  EXPECT_TRUE(client_->actor_started(5, 2, kLong).ok());
  EXPECT_TRUE(client_->kill_actor(5, true, kLong).ok());
  EXPECT_EQ(node_.handler().count("actor_started 5 2"), 1u);
  EXPECT_EQ(node_.handler().count("kill_actor 5 for good"), 1u);
}

TEST_F(SessionTest, PostsArriveInOrderAlsoWhenTheSessionClosesRightAfter) {
  client_->post_start_actor(1, "args", {{1, 2}, {3, 4}});
  client_->post_fail_actor(2, "message", "error");
  client_->post_return_loan(4096);
  client_->close();
  EXPECT_TRUE(eventually([this] { return node_.handler().disconnects() == 1; }));
  EXPECT_THAT(node_.handler().calls(),
              ElementsAre("start_actor 1 args 2", "fail_actor 2 message error", "return_loan 4096"));
}

TEST_F(SessionTest, BurstOfPostsRunsIntoNoLimit) {
  constexpr uint32_t kPosts = 10'000;
  for (uint32_t i = 0; i < kPosts; ++i) {
    client_->post_start_actor(i == 404 ? 0 : i, "", {});
  }
  EXPECT_TRUE(eventually([this] { return node_.handler().calls().size() == kPosts; }));
  EXPECT_EQ(node_.handler().calls().back(), "start_actor 9999  0");
  EXPECT_TRUE(notices_.events().empty());
}

TEST_F(SessionTest, FailedPostWarns) {
  client_->post_start_actor(404, "", {});
  EXPECT_TRUE(eventually([this] { return !notices_.events().empty(); }));
  EXPECT_THAT(notices_.events(), ElementsAre(HasSubstr("no such actor")));
}

TEST_F(SessionTest, KeysAndValues) {
  EXPECT_TRUE(client_->kv_put("k", "v", false, kLong).value());
  EXPECT_FALSE(client_->kv_put("k", "w", false, kLong).value());
  EXPECT_EQ(client_->kv_get("k", kLong).value(), "v");
  EXPECT_FALSE(client_->kv_put("k", "", true, kLong).value());
  EXPECT_EQ(client_->kv_get("k", kLong).value(), "");
  EXPECT_TRUE(client_->kv_delete("k", kLong).value());
  EXPECT_FALSE(client_->kv_delete("k", kLong).value());
  EXPECT_EQ(client_->kv_get("k", kLong).error().kind(), ErrorKind::kNotFound);
}

TEST_F(SessionTest, StatusLeaveStop) {
  EXPECT_EQ(client_->status(kLong).value(), "{\"fake\":true}");
  EXPECT_TRUE(client_->leave("", kLong).ok());
  EXPECT_EQ(client_->drain("ab12", 5 * kSecondNs, kLong).value(), "ab120000");
  EXPECT_TRUE(client_->stop(kLong).ok());
  EXPECT_THAT(node_.handler().calls(), ElementsAre("status", "leave", "drain ab12 5000000000", "stop"));
}

TEST_F(SessionTest, ObserverHasNoSegmentsAndNoMembership) {
  FakeNotices notices;
  auto observer = node_.client(&notices, FakeNode::hello_of(HelloKind::kObserver));
  EXPECT_FALSE(observer->welcome().node_fd.valid());
  EXPECT_TRUE(observer->status(kLong).ok());
  EXPECT_TRUE(observer->kv_put("k", "v", true, kLong).ok());
  EXPECT_EQ(observer->lend(LendKind::kCells, kLong).error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(observer->leave("", kLong).error().kind(), ErrorKind::kUnsupported);
  observer->close();
  EXPECT_TRUE(eventually([this] { return node_.connections() == 1; }));
  EXPECT_EQ(node_.handler().ready(), 1u);
  EXPECT_EQ(node_.handler().disconnects(), 0u);
}

TEST_F(SessionTest, Notices) {
  ASSERT_TRUE(client_->status(kLong).ok());
  node_.on_loop([this](SessionServer&) {
    auto sink = node_.handler().notices();
    EXPECT_TRUE(sink->log({{12, 2, "f", "line\n", 3}}));
    sink->warn("careful");
    sink->collect();
    sink->objects({{ObjectChange::Kind::kUnheld, {7, 1}}, {ObjectChange::Kind::kLost, {8, 2}}});
    sink->exit("enough");
  });
  EXPECT_TRUE(eventually([this] { return notices_.has("exit enough"); }));
  EXPECT_THAT(notices_.events(),
              ElementsAre("log 12 f: line\n 3", "warn careful", "collect", "object 1 7", "object 2 8", "exit enough"));
}

TEST_F(SessionTest, OneLogCallInFlightAtMost) {
  ASSERT_TRUE(client_->status(kLong).ok());
  std::atomic<bool> slow{true};
  notices_.in_log = [&slow] {
    while (slow) {
      std::this_thread::yield();
    }
  };
  auto sink = node_.handler().notices();
  node_.on_loop([&](SessionServer&) { EXPECT_TRUE(sink->log({{1, 1, "", "a", 0}})); });
  for (int i = 0; i < 3; ++i) {
    node_.on_loop([&](SessionServer&) { EXPECT_FALSE(sink->log({{1, 1, "", "b", 0}})); });
  }
  slow = false;
  EXPECT_TRUE(eventually([&] {
    bool taken = false;
    node_.on_loop([&](SessionServer&) { taken = sink->log({{1, 1, "", "c", 0}}); });
    return taken;
  }));
  EXPECT_TRUE(eventually([this] { return notices_.has("log 1 : c 0"); }));
  EXPECT_FALSE(notices_.has("log 1 : b 0"));
}

TEST_F(SessionTest, NodeClosesTheConnection) {
  ASSERT_TRUE(client_->status(kLong).ok());
  auto sink = node_.handler().notices();
  node_.on_loop([&](SessionServer&) { sink->close(); });
  EXPECT_TRUE(eventually([this] { return notices_.has("disconnect"); }));
  auto result = client_->lend(LendKind::kCells, kLong);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kDisconnected);
  // A sink without its connection does nothing.
  node_.on_loop([&](SessionServer&) {
    EXPECT_FALSE(sink->log({}));
    sink->warn("nobody");
    sink->close();
  });
}

TEST_F(SessionTest, AfterCloseEverythingIsClosed) {
  client_->close();
  client_->close();
  EXPECT_EQ(client_->lend(LendKind::kCells, kLong).error().kind(), ErrorKind::kClosed);
  client_->post_return_loan(1);
  EXPECT_THAT(notices_.events(), ElementsAre("disconnect"));
  EXPECT_TRUE(eventually([this] { return node_.handler().disconnects() == 1; }));
}

TEST_F(SessionTest, CallInFlightEndsWithClosed) {
  node_.on_loop([this](SessionServer&) { node_.handler().hold(); });
  Result<uint32_t> result = 0u;
  std::thread caller([&] { result = client_->lend(LendKind::kCells, kLong); });
  EXPECT_TRUE(eventually([this] { return node_.handler().count("lend 0") == 1; }));
  client_->close();
  caller.join();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kClosed);
  node_.on_loop([this](SessionServer&) { node_.handler().release(); });
}

TEST_F(SessionTest, ManyThreadsCall) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        std::string key = std::to_string(t * 1000 + i);
        if (!client_->kv_put(key, key, false, kLong).ok() || client_->kv_get(key, kLong).value() != key) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failures, 0);
}

TEST(SessionServerTest, SocketIsPrivateAndGoesWithTheServer) {
  std::string path;
  {
    FakeNode node;
    path = node.path() + "/node.sock";
    struct stat status {};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST(SessionServerTest, OpenDirectoryIsRefused) {
  FakeNode node;
  chmod(node.path().c_str(), 0755);
  EXPECT_EQ(SessionClient::connect(node.path(), FakeNode::driver_hello(), kSecondNs).error().kind(),
            ErrorKind::kInvalid);
  node.on_loop([&](SessionServer& server) { EXPECT_FALSE(server.listen(node.path()).ok()); });
}

TEST(SessionServerTest, AdoptedSocketIsASession) {
  FakeNode node;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd theirs(ends[0]);
  node.on_loop([&](SessionServer& server) { EXPECT_TRUE(server.adopt(std::move(theirs)).ok()); });
  FakeNotices notices;
  auto client = SessionClient::handshake(UniqueFd(ends[1]), FakeNode::driver_hello(), kLong);
  ASSERT_TRUE(client.ok()) << client.error().to_string();
  ASSERT_TRUE((*client)->start(&notices).ok());
  EXPECT_EQ((*client)->lend(LendKind::kEntries, kLong).value(), 1u);
  EXPECT_EQ(node.handler().peer_pid(), static_cast<uint32_t>(getpid()));
}

TEST(SessionServerTest, SharesTheThreadsKjLoop) {
  loop::EventLoop loop;
  loop::KjLoop kj_loop(loop);
  FakeHandler handlers[2];
  SessionServer first(loop, kj_loop, handlers[0], Logger());
  SessionServer second(loop, kj_loop, handlers[1], Logger());
  std::vector<std::thread> clients;
  for (SessionServer* server : {&first, &second}) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    ASSERT_TRUE(server->adopt(UniqueFd(ends[0])).ok());
    clients.emplace_back([end = ends[1]] {
      EXPECT_TRUE(SessionClient::handshake(UniqueFd(end), FakeNode::driver_hello(), kLong).ok());
    });
  }
  EXPECT_TRUE(loop.run_until([&] { return handlers[0].disconnects() == 1 && handlers[1].disconnects() == 1; }, kLong));
  for (std::thread& client : clients) {
    client.join();
  }
}

}  // namespace
}  // namespace sabir::rpc
