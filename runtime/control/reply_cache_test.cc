#include "runtime/control/reply_cache.h"

#include <gtest/gtest.h>

namespace sabir::control {
namespace {

class ReplyCacheTest : public ::testing::Test {
 protected:
  void restart() {
    replies_.emplace(&storage_);
    ASSERT_TRUE(replies_->load().ok());
  }
  // "run", the reply, or the kind of the error.
  std::string ask(const std::string& client, uint64_t id, uint64_t lowest) {
    std::optional<Result<std::string>> known = replies_->admit({client, id, lowest});
    if (!known) {
      return "run";
    }
    return known->ok() ? **known : std::string(error_kind_name(known->error().kind()));
  }
  void answer(const std::string& client, uint64_t id, uint64_t lowest, const std::string& reply) {
    ASSERT_EQ(ask(client, id, lowest), "run");
    ASSERT_TRUE(replies_->record({client, id, lowest}, reply).ok());
  }

  MemoryStorage storage_;
  std::optional<ReplyCache> replies_{&storage_};
};

TEST_F(ReplyCacheTest, ARequestThatComesAgainGetsTheFirstAnswer) {
  answer("c", 1, 1, "one");
  answer("c", 2, 1, "two");
  answer("d", 1, 1, "other client");
  EXPECT_EQ(ask("c", 1, 1), "one");
  restart();
  EXPECT_EQ(ask("c", 1, 1), "one");
  EXPECT_EQ(ask("c", 2, 1), "two");
  EXPECT_EQ(ask("d", 1, 1), "other client");
  EXPECT_EQ(ask("d", 2, 1), "run");
}

TEST_F(ReplyCacheTest, AnOldRequestIsRefusedAndNeverRuns) {
  for (uint64_t id = 1; id <= 5; ++id) {
    answer("c", id, 1, "r" + std::to_string(id));
  }
  answer("c", 6, 4, "six");
  for (int life = 0; life < 2; ++life) {
    EXPECT_EQ(ask("c", 3, 1), "invalid");
    EXPECT_EQ(ask("c", 3, 3), "invalid");
    EXPECT_EQ(ask("c", 4, 1), "r4");
    EXPECT_EQ(ask("c", 5, 4), "r5");
    restart();
  }
  EXPECT_EQ(replies_->size_bytes(), 2u + 2u + 3u) << "r4, r5, six";
}

TEST_F(ReplyCacheTest, WhatIsStoredStaysBounded) {
  for (uint64_t id = 1; id <= 5'000; ++id) {
    answer("c", id, id < 10 ? 1 : id - 9, "reply");
  }
  EXPECT_EQ(storage_.medium()->tables.count(), 11u) << "ten replies and the lowest number";
  EXPECT_EQ(replies_->size_bytes(), 50u);
}

TEST_F(ReplyCacheTest, OpenRequestsAreBounded) {
  EXPECT_EQ(ask("c", ReplyCache::kMaxOpen, 1), "run");
  EXPECT_EQ(ask("c", ReplyCache::kMaxOpen + 1, 1), "exhausted");
  EXPECT_EQ(ask("c", ReplyCache::kMaxOpen + 1, 2), "run");
  for (uint64_t id = 1'000; id < 1'000 + ReplyCache::kMaxOpen; ++id) {
    answer("d", id, 1'000, "x");
  }
  EXPECT_EQ(ask("d", 1'000 + ReplyCache::kMaxOpen, 1'000), "exhausted");
  EXPECT_EQ(ask("d", 1'000 + ReplyCache::kMaxOpen - 1, 1'000), "x");
}

TEST_F(ReplyCacheTest, ARefusalIsAnAnswer) {
  ASSERT_EQ(ask("c", 1, 1), "run");
  replies_->refuse({"c", 1, 1}, already_exists_error("taken"));
  EXPECT_EQ(ask("c", 1, 1), "already exists");
  ASSERT_TRUE(replies_->load().ok());
  EXPECT_EQ(ask("c", 1, 1), "already exists") << "also after something was taken back";
  EXPECT_EQ(ask("c", 2, 2), "run");
  EXPECT_EQ(ask("c", 1, 1), "invalid");
}

TEST_F(ReplyCacheTest, WhatWasTakenBackCountsAsRefusedNotAsForgotten) {
  answer("c", 1, 1, "one");
  std::string before = *storage_.get("replies", std::string("c\0\0\0\0\0\0\0\1", 9));
  answer("c", 2, 2, "two");
  // As after the disk refused the second: its rows are gone, the first one's are back.
  ASSERT_TRUE(storage_
                  .commit(Batch()
                              .erase("replies", std::string("c\0\0\0\0\0\0\0\2", 9))
                              .put("replies", std::string("c\0\0\0\0\0\0\0\1", 9), before)
                              .erase("replies.lowest", "c"))
                  .ok());
  ASSERT_TRUE(replies_->load().ok());
  EXPECT_EQ(ask("c", 1, 1), "invalid") << "its client has the answer, and said so";
  EXPECT_EQ(ask("c", 2, 2), "run");
  answer("c", 3, 2, "three");
  EXPECT_EQ(storage_.medium()->tables.count(), 2u) << "three and the lowest number";
}

TEST_F(ReplyCacheTest, AForgottenClientLeavesNothing) {
  answer("c", 1, 1, "one");
  answer("c", 2, 2, "two");
  answer("cc", 1, 1, "other");
  ASSERT_TRUE(replies_->forget("c").ok());
  ASSERT_TRUE(replies_->forget("c").ok());
  EXPECT_EQ(replies_->client_count(), 1u);
  EXPECT_EQ(replies_->size_bytes(), 5u);
  restart();
  EXPECT_EQ(replies_->client_count(), 1u);
  EXPECT_EQ(ask("cc", 1, 1), "other");
}

TEST_F(ReplyCacheTest, MalformedRequestsAreRefused) {
  EXPECT_EQ(ask("", 1, 1), "invalid");
  EXPECT_EQ(ask(std::string(ReplyCache::kMaxClientBytes + 1, 'c'), 1, 1), "invalid");
  EXPECT_EQ(ask("c", 0, 0), "invalid");
  EXPECT_EQ(ask("c", 1, 0), "invalid");
  EXPECT_EQ(ask("c", 1, 2), "invalid");
  EXPECT_EQ(ask("c", UINT64_MAX, 1), "exhausted");
  EXPECT_EQ(replies_->client_count(), 0u);
  EXPECT_EQ(ask("c", UINT64_MAX, UINT64_MAX), "run");
  EXPECT_EQ(
      replies_->record({"c", UINT64_MAX, UINT64_MAX}, std::string(ReplyCache::kMaxReplyBytes + 1, 'x')).error().kind(),
      ErrorKind::kInternal);
}

TEST_F(ReplyCacheTest, ClientsAreBounded) {
  for (size_t i = 0; i < ReplyCache::kMaxClients; ++i) {
    ASSERT_EQ(ask(std::to_string(i), 1, 1), "run");
  }
  EXPECT_EQ(ask("more", 1, 1), "exhausted");
  EXPECT_EQ(ask("7", 1, 1), "run");
}

}  // namespace
}  // namespace sabir::control
