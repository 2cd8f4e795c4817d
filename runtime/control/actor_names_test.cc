#include "runtime/control/actor_names.h"

#include <gtest/gtest.h>

#include <optional>

namespace sabir::control {
namespace {

class ActorNamesTest : public ::testing::Test {
 protected:
  static NamedActor actor(uint64_t home, char id) {
    return {{std::string(16, 'n'), home}, std::string(16, id), "Counter", "info", 1, -1};
  }
  void restart() {
    names_.emplace(&storage_);
    ASSERT_TRUE(names_->load().ok());
  }

  MemoryStorage storage_;
  std::optional<ActorNames> names_{&storage_};
};

TEST_F(ActorNamesTest, ANameIsOneActorsUntilItIsFree) {
  ASSERT_TRUE(names_->take({"space", "x"}, actor(1, 'a')).ok());
  EXPECT_EQ(names_->take({"space", "x"}, actor(2, 'b')).error().kind(), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(names_->take({"other", "x"}, actor(2, 'b')).ok()) << "another namespace";
  ASSERT_TRUE(names_->free({"space", "x"}, std::string(16, 'b')).ok());
  EXPECT_NE(names_->find({"space", "x"}), nullptr) << "it is not that one's";
  ASSERT_TRUE(names_->free({"space", "x"}, std::string(16, 'a')).ok());
  EXPECT_EQ(names_->find({"space", "x"}), nullptr);
  EXPECT_TRUE(names_->take({"space", "x"}, actor(2, 'b')).ok());
}

TEST_F(ActorNamesTest, ItsOwnNodeMayGiveItAnew) {
  ASSERT_TRUE(names_->take({"s", "x"}, actor(1, 'a')).ok());
  ASSERT_TRUE(names_->take({"s", "x"}, actor(1, 'c')).ok());
  EXPECT_EQ(names_->find({"s", "x"})->actor_id, std::string(16, 'c'));
}

TEST_F(ActorNamesTest, NamesOutliveARestartAndGoWithTheirHome) {
  NamedActor large = actor(2, 'b');
  large.class_info = std::string(1 << 20, 'i');
  ASSERT_TRUE(names_->take({"s", "x"}, actor(1, 'a')).ok());
  ASSERT_TRUE(names_->take({"s", "y"}, large).ok());
  ASSERT_TRUE(names_->take({"", "z"}, actor(1, 'c')).ok());
  restart();
  EXPECT_EQ(names_->count(), 3u);
  EXPECT_EQ(*names_->find({"s", "y"}), large);
  EXPECT_EQ(*names_->find({"", "z"}), actor(1, 'c'));
  ASSERT_TRUE(names_->node_gone({std::string(16, 'n'), 1}).ok());
  restart();
  EXPECT_EQ(names_->count(), 1u);
  EXPECT_EQ(names_->find({"s", "x"}), nullptr);
}

TEST_F(ActorNamesTest, Bounds) {
  EXPECT_EQ(names_->take({"s", ""}, actor(1, 'a')).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(names_->take({"s", "x"}, actor(0, 'a')).error().kind(), ErrorKind::kInvalid);
  NamedActor large = actor(1, 'a');
  large.class_info = std::string(1 << 20, 'i');
  Result<void> taken;
  size_t count = 0;
  while (count < 200 && (taken = names_->take({"s", std::to_string(count)}, large)).ok()) {
    ++count;
  }
  EXPECT_EQ(taken.error().kind(), ErrorKind::kExhausted);
  EXPECT_EQ(count, (ActorNames::kMaxTotalBytes >> 20) - 1) << "names and classes count, too";
}

}  // namespace
}  // namespace sabir::control
