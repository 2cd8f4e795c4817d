#include "runtime/control/records.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace sabir::control {
namespace {

class RecordsTest : public ::testing::Test {
 protected:
  void restart() {
    records_.emplace(&storage_, "groups");
    ASSERT_TRUE(records_->load().ok());
  }
  std::vector<std::string> all() {
    std::vector<std::string> rows;
    EXPECT_TRUE(records_
                    ->scan([&](std::string_view key, std::string_view record) {
                      rows.push_back(std::string(key) + "=" + std::string(record));
                    })
                    .ok());
    return rows;
  }

  MemoryStorage storage_;
  std::optional<Records> records_{std::in_place, &storage_, "groups"};
};

TEST_F(RecordsTest, AreKept) {
  ASSERT_TRUE(storage_.commit(Batch().put("others", "x", "y")).ok());
  ASSERT_TRUE(records_->put("b", "2").ok());
  ASSERT_TRUE(records_->put("a", "1").ok());
  ASSERT_TRUE(records_->put("a", "11").ok());
  EXPECT_EQ(records_->count(), 2u);
  restart();
  EXPECT_EQ(all(), (std::vector<std::string>{"a=11", "b=2"}));
  EXPECT_EQ(records_->count(), 2u);
  ASSERT_TRUE(records_->erase("a").ok());
  ASSERT_TRUE(records_->erase("a").ok());
  EXPECT_EQ(records_->count(), 1u);
  restart();
  EXPECT_EQ(all(), (std::vector<std::string>{"b=2"}));
}

TEST_F(RecordsTest, AreBounded) {
  EXPECT_EQ(records_->put("", "x").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(records_->put(std::string(Records::kMaxKeyBytes + 1, 'k'), "x").error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(records_->put("k", std::string(Records::kMaxRecordBytes + 1, 'x')).error().kind(), ErrorKind::kInvalid);
  for (size_t i = 0; i < Records::kMaxRecords; ++i) {
    ASSERT_TRUE(records_->put(std::to_string(i), "").ok());
  }
  EXPECT_EQ(records_->put("more", "x").error().kind(), ErrorKind::kExhausted);
  EXPECT_TRUE(records_->put("7", "x").ok());
  ASSERT_TRUE(records_->erase("8").ok());
  EXPECT_TRUE(records_->put("more", "x").ok());
}

}  // namespace
}  // namespace sabir::control
