// Messages between two nodes, and what happens to them when a connection ends.
#include "runtime/rpc/node_link/message_lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/rpc/node_link/testing/link_node.h"
#include "runtime/rpc/node_link/testing/proxy.h"

namespace sabir::node_link {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A node with a lane to one peer, that keeps what it hears.
class LaneNode final : public LinkNode {
 public:
  using LinkNode::LinkNode;

  void talk_to(const LinkNode& peer) {
    lane = std::make_unique<MessageLane>(
        loop, *links, peer.local.node,
        MessageLane::Events{.received =
                                [this](std::vector<rpc::NodeMessage> messages, auto done) {
                                  for (rpc::NodeMessage& message : messages) {
                                    heard.push_back(std::get<rpc::BetweenMessage>(message).bytes);
                                  }
                                  done(answer);
                                },
                            .lost = [this](const std::string& why) { losses.push_back(why); }});
  }
  void say(const std::string& text) { lane->outbox()->post(rpc::BetweenMessage{text}); }

  capnp::Capability::Client service_for(const NodeKey&) override { return lane->service(); }
  void on_lane(const NodeKey& peer, Lane which, LinkState state, const Failure& why) override {
    LinkNode::on_lane(peer, which, state, why);
    if (which == Lane::kCalls) {
      lane->on_lane(state, why.message);
    }
  }

  std::unique_ptr<MessageLane> lane;
  std::vector<std::string> heard;
  std::vector<std::string> losses;
  Result<void> answer;  // to every batch
};

class MessageLaneTest : public testing::Test {
 protected:
  MessageLaneTest() {
    for (auto [one, other] : {std::pair{&a_, &b_}, std::pair{&b_, &a_}}) {
      one->listen();
      one->talk_to(*other);
    }
    a_.know(b_);
    b_.know(a_);
  }
  ~MessageLaneTest() noexcept override {
    a_.lane.reset();
    b_.lane.reset();
  }
  bool eventually(const std::function<bool()>& done) { return loop_.run_until(done, kTestTimeoutNs); }

  loop::EventLoop loop_;
  loop::KjLoop kj_loop_{loop_};
  ClusterId cluster_ = ClusterId::random();
  LaneNode a_{loop_, kj_loop_, "a", cluster_, false};
  LaneNode b_{loop_, kj_loop_, "b", cluster_, false};
};

TEST_F(MessageLaneTest, MessagesArriveInOrderAndBothWays) {
  std::vector<std::string> said;
  for (int i = 0; i < 2000; ++i) {
    said.push_back(std::to_string(i));
    a_.say(said.back());
  }
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == said.size(); }));
  EXPECT_EQ(b_.heard, said);
  b_.say("back");
  ASSERT_TRUE(eventually([&] { return !a_.heard.empty(); }));
  EXPECT_THAT(a_.heard, ElementsAre("back"));
  EXPECT_TRUE(a_.losses.empty() && b_.losses.empty());
}

TEST_F(MessageLaneTest, ARefusedBatchEndsTheConnectionOnBothSides) {
  a_.say("fine");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 1; }));
  b_.answer = invalid_error("that is nonsense");
  a_.say("nonsense");
  ASSERT_TRUE(eventually([&] { return !a_.losses.empty() && !b_.losses.empty(); }));
  EXPECT_THAT(a_.losses[0], HasSubstr("that is nonsense"));
  EXPECT_THAT(a_.log.text(), HasSubstr("that is nonsense"));
  b_.answer = {};
  a_.say("better");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 3; }));
  EXPECT_EQ(b_.heard.back(), "better") << "both begin afresh";
}

TEST_F(MessageLaneTest, APeerThatDoesNotEndWhatWasRefusedIsCutOff) {
  a_.say("fine");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 1; }));
  Proxy proxy(loop_, b_.address());
  (*a_.links->link(b_.local.node))->end(Lane::kCalls, "the test takes another way");
  a_.lane.reset();
  a_.restart();
  a_.local.node.incarnation = 1;
  a_.listen();
  a_.know(b_, proxy.address());
  a_.talk_to(b_);
  a_.losses.clear();
  a_.say("again");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 2; }));
  size_t losses = b_.losses.size();
  b_.answer = invalid_error("that is nonsense");
  a_.say("nonsense");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 3; }));
  proxy.stall(true);  // a hears nothing of it
  ASSERT_TRUE(eventually([&] { return b_.losses.size() > losses; }));
  EXPECT_THAT(b_.losses.back(), HasSubstr("that is nonsense"));
}

TEST_F(MessageLaneTest, WhatIsSaidForOneConnectionDoesNotGetIntoTheNext) {
  Proxy proxy(loop_, b_.address());
  a_.know(b_, proxy.address());
  a_.say("1");
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 1; }));
  std::shared_ptr<MessageLane::Outbox> old = a_.lane->outbox();
  proxy.cut();
  ASSERT_TRUE(eventually([&] { return a_.losses.size() == 1 && b_.losses.size() == 1; }));
  old->post(rpc::BetweenMessage{"late"});
  a_.say("2");
  old->post(rpc::BetweenMessage{"later"});
  ASSERT_TRUE(eventually([&] { return b_.heard.size() == 2; }));
  b_.say("done");
  ASSERT_TRUE(eventually([&] { return a_.heard.size() == 1; }));
  EXPECT_THAT(b_.heard, ElementsAre("1", "2"));
}

TEST_F(MessageLaneTest, ALaneThatIsGoneIsNoDangerToThoseWhoHoldItsOutbox) {
  std::shared_ptr<MessageLane::Outbox> outbox = a_.lane->outbox();
  a_.lane.reset();
  outbox->post(rpc::BetweenMessage{"nobody hears it"});
  EXPECT_TRUE(b_.heard.empty());
  EXPECT_FALSE(loop_.run_until([&] { return !b_.heard.empty(); }, 50 * kMillisecondNs));
}

}  // namespace
}  // namespace sabir::node_link
