#include "runtime/rpc/answers.h"

#include <gtest/gtest.h>

namespace sabir::rpc {
namespace {

std::shared_ptr<Answer<uint32_t>> answer() { return std::make_shared<Answer<uint32_t>>("lend"); }

TEST(AnswerTest, FirstResultStays) {
  auto one = answer();
  auto reply = reply_to<uint32_t>(one, nullptr);
  reply(5u);
  reply(6u);
  EXPECT_EQ(one->result().value(), 5u);
}

TEST(AnswerTest, LostReplyIsAnAnswerToo) {
  auto one = answer();
  { auto reply = reply_to<uint32_t>(one, nullptr); }
  ASSERT_TRUE(one->finished());
  EXPECT_EQ(one->result().error().kind(), ErrorKind::kInternal);
}

TEST(AnswerTest, OwnerHearsOnceHowLargeItIs) {
  auto one = std::make_shared<Answer<ActorInfo>>("getActor");
  std::vector<size_t> sizes;
  auto reply = reply_to<ActorInfo>(one, [&](size_t size_bytes) { sizes.push_back(size_bytes); });
  ActorInfo info;
  info.class_info.assign(1000, 'x');
  reply(info);
  reply(info);
  reply = nullptr;
  ASSERT_EQ(sizes.size(), 1u);
  EXPECT_GT(sizes[0], 1000u);
}

TEST(AnswerTableTest, KnowsWhatItWasGiven) {
  AnswerTable table(10, 1000);
  EXPECT_EQ(table.find(1, "lend").value(), nullptr);
  auto one = answer();
  table.add(1, one);
  EXPECT_EQ(table.find(1, "lend").value(), one);
  EXPECT_EQ(table.find(1, "stop").error().kind(), ErrorKind::kInvalid);
}

TEST(AnswerTableTest, ForgetsTheOldestFinishedByNumber) {
  AnswerTable table(2, 1000);
  for (uint64_t id : {1, 2, 3, 4}) {
    table.add(id, answer());
  }
  table.finished(2, 1);
  table.finished(3, 1);
  table.finished(4, 1);
  EXPECT_FALSE(table.find(2, "lend").ok());           // forgotten
  EXPECT_NE(table.find(1, "lend").value(), nullptr);  // older, but in flight
  EXPECT_NE(table.find(3, "lend").value(), nullptr);
  EXPECT_EQ(table.find(5, "lend").value(), nullptr);  // new
  EXPECT_EQ(table.size(), 3u);
}

TEST(AnswerTableTest, ForgetsTheOldestFinishedByBytes) {
  AnswerTable table(100, 1000);
  for (uint64_t id : {1, 2, 3}) {
    table.add(id, answer());
    table.finished(id, 400);
  }
  EXPECT_FALSE(table.find(1, "lend").ok());
  EXPECT_NE(table.find(2, "lend").value(), nullptr);
  // One that is larger than everything is still kept until the next.
  table.add(4, answer());
  table.finished(4, 5000);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_NE(table.find(4, "lend").value(), nullptr);
}

}  // namespace
}  // namespace sabir::rpc
