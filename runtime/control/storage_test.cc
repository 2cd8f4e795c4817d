// Batches, tables and epochs, in memory.
#include "runtime/control/storage.h"

#include <gtest/gtest.h>

#include <vector>

namespace sabir::control {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

Rows rows_of(const Storage& storage, std::string_view table) {
  Rows rows;
  EXPECT_TRUE(
      storage.scan(table, [&](std::string_view key, std::string_view value) { rows.emplace_back(key, value); }).ok());
  return rows;
}

TEST(BatchTest, KeepsOrderAndSize) {
  Batch first;
  first.put("t", "k", "value").erase("t", "k");
  Batch second;
  second.put("u", "kk", "");
  first.append(second);
  ASSERT_EQ(first.writes().size(), 3u);
  EXPECT_EQ(first.writes()[1], (Batch::Write{"t", "k", std::nullopt}));
  EXPECT_EQ(first.writes()[2], (Batch::Write{"u", "kk", ""}));
  EXPECT_EQ(first.size_bytes(), 7u + 2u + 3u);
}

TEST(TablesTest, AnUndoTakesABatchBack) {
  Tables tables;
  tables.apply(Batch().put("t", "a", "1").put("t", "b", "2"));
  Tables before = tables;
  Batch undo = tables.apply(Batch()
                                .put("t", "a", "10")
                                .erase("t", "b")
                                .put("t", "c", "3")
                                .erase("t", "c")
                                .put("t", "a", "11")
                                .put("u", "x", ""));
  EXPECT_EQ(*tables.find("t", "a"), "11");
  EXPECT_EQ(tables.find("t", "b"), nullptr);
  EXPECT_EQ(tables.find("t", "c"), nullptr);
  EXPECT_EQ(*tables.find("u", "x"), "");
  EXPECT_EQ(tables.count(), 2u);
  tables.apply(undo);
  EXPECT_EQ(tables, before);
  tables.apply(Batch().erase("t", "a").erase("t", "b").erase("no", "such"));
  EXPECT_EQ(tables, Tables());
}

TEST(MemoryStorageTest, OrdersKeysAndKeepsTablesApart) {
  MemoryStorage storage;
  ASSERT_TRUE(storage.commit(Batch().put("t", "b", "2").put("t", "a", "1").put("u", "a", "3")).ok());
  EXPECT_EQ(rows_of(storage, "t"), (Rows{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(*storage.get("u", "a"), "3");
  EXPECT_EQ(storage.get("u", "b").error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(rows_of(storage, "none").empty());
}

TEST(MemoryStorageTest, WhoOpensLaterFencesWhoOpenedEarlier) {
  MemoryStorage first;
  ASSERT_TRUE(first.commit(Batch().put("t", "k", "first")).ok());
  MemoryStorage second(first.medium());
  EXPECT_EQ(second.epoch(), first.epoch() + 1);
  EXPECT_EQ(first.commit(Batch().put("t", "k", "late")).error().kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(*second.get("t", "k"), "first");
  ASSERT_TRUE(second.commit(Batch().put("t", "k", "second")).ok());
  EXPECT_EQ(*first.get("t", "k"), "second") << "it may read";
}

}  // namespace
}  // namespace sabir::control
