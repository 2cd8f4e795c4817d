// A peer of a gateway on a real link; the other node is the test.
#include "runtime/gateway/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "runtime/rpc/node_link/testing/link_node.h"

namespace sabir::gateway {
namespace {

using node_link::kTestTimeoutNs;
using node_link::Lane;
using node_link::LinkState;
using node_link::MessageLane;

// The node of the test: says what it likes.
class OtherNode final : public node_link::LinkNode {
 public:
  using LinkNode::LinkNode;
  capnp::Capability::Client service_for(const node_link::NodeKey&) override { return lane->service(); }
  void on_lane(const node_link::NodeKey&, Lane which, LinkState state, const node_link::Failure& why) override {
    if (which == Lane::kCalls) {
      lane->on_lane(state, why.message);
    }
  }
  std::unique_ptr<MessageLane> lane;
};

class GatewayNode final : public node_link::LinkNode {
 public:
  using LinkNode::LinkNode;
  capnp::Capability::Client service_for(const node_link::NodeKey&) override { return peer->service(); }
  void on_lane(const node_link::NodeKey&, Lane which, LinkState state, const node_link::Failure& why) override {
    if (peer) {
      peer->on_lane(which, state, why.message);
    }
  }
  std::unique_ptr<Peer> peer;
};

class PeerTest : public ::testing::Test {
 protected:
  PeerTest() {
    other_.listen();
    node_.listen();
    other_.know(node_);
    node_.know(other_);
    other_.lane = std::make_unique<MessageLane>(
        loop_, *other_.links, node_.local.node,
        MessageLane::Events{.received = [](auto, auto done) { done({}); }, .lost = [](const std::string&) {}});
    node_.peer = std::make_unique<Peer>(
        loop_, *node_.links, objects_, node_.local.node, other_.local.node,
        Peer::Events{.open_job = [this](const rpc::JobDefinition&) -> Result<std::shared_ptr<client::Client>> {
                       opening_ = true;
                       may_open_.wait();
                       return closed_error("the test opens nothing");
                     },
                     .between = [this](rpc::BetweenMessage words) { heard_.push_back(std::move(words.bytes)); },
                     .want_sweep = [this] { ++sweeps_wanted_; }});
  }
  ~PeerTest() noexcept override {
    other_.lane.reset();
    node_.peer.reset();
  }
  void say_call() {
    const auto& outbox = other_.lane->outbox();
    outbox->post(rpc::JobDefinition{1, std::string(16, 'j'), {}});
    outbox->post(rpc::FunctionDefinition{1, {}});
    outbox->post(rpc::ClassDefinition{1, {}});
    rpc::CallMessage call;
    call.job = call.function = call.class_number = 1;
    outbox->post(std::move(call));
  }
  bool eventually(const std::function<bool()>& done) { return loop_.run_until(done, kTestTimeoutNs); }

  loop::EventLoop loop_;
  loop::KjLoop kj_loop_{loop_};
  node_link::ClusterId cluster_ = node_link::ClusterId::random();
  OtherNode other_{loop_, kj_loop_, "other", cluster_, false};
  SteadyClock clock_;
  NodeObjects objects_{clock_, [](const auto&, const auto& then) { then(nullptr); }};
  GatewayNode node_{loop_, kj_loop_, "node", cluster_, false};
  std::atomic<bool> opening_{false};
  std::latch may_open_{1};
  std::vector<std::string> heard_;
  int sweeps_wanted_ = 0;
};

TEST_F(PeerTest, APeerWhoseThreadWaitsDoesNotHoldUpTheLoop) {
  loop::Timer tick(loop_, [] {});
  tick.start_periodic(kMillisecondNs);
  say_call();
  ASSERT_TRUE(eventually([&] { return opening_.load(); }));
  bool ended = false;
  node_.peer->retire([&] { ended = true; });
  EXPECT_FALSE(loop_.run_until([&] { return ended; }, 50 * kMillisecondNs)) << "its thread still waits";
  may_open_.count_down();
  EXPECT_TRUE(eventually([&] { return ended; })) << "and the loop hears when it does not any more";
}

TEST_F(PeerTest, WordsOfTheNodeManagerDoNotWaitForTheThread) {
  say_call();
  ASSERT_TRUE(eventually([&] { return opening_.load(); }));
  other_.lane->outbox()->post(rpc::BetweenMessage{"I live"});
  EXPECT_TRUE(eventually([&] { return heard_.size() == 1; }));
  may_open_.count_down();
}

TEST_F(PeerTest, WithNothingToSweepNobodyIsWoken) {
  may_open_.count_down();
  other_.lane->outbox()->post(rpc::BetweenMessage{"a word"});
  say_call();
  other_.lane->outbox()->post(rpc::BetweenMessage{"another"});
  ASSERT_TRUE(eventually([&] { return heard_.size() == 2; }));
  EXPECT_EQ(sweeps_wanted_, 0);
}

TEST_F(PeerTest, TransfersOfAConnectionThatIsOverEnd) {
  may_open_.count_down();
  auto gate = std::make_shared<BulkGate>([] {});
  auto outbox = other_.lane->outbox();
  auto link = std::make_shared<ConnectionLink>(rpc::NodeKeyBytes{}, rpc::NodeKeyBytes{}, outbox, gate, [] {});
  std::vector<uint8_t> memory(100);
  std::vector<ErrorKind> ends;
  auto on_end = [&](const Result<void>& result) { ends.push_back(result.error().kind()); };
  link->receive(memory, on_end);
  link->send(5, memory, on_end);
  EXPECT_TRUE(ends.empty()) << "there is no connection yet";
  link->end("it is over");
  EXPECT_EQ(ends.size(), 2u);
  link->receive(memory, on_end);
  link->send(6, memory, on_end);
  EXPECT_EQ(ends, std::vector<ErrorKind>(4, ErrorKind::kDisconnected)) << "nothing waits for the next one";
}

}  // namespace
}  // namespace sabir::gateway
