#include "runtime/client/lendings.h"

#include <gtest/gtest.h>

#include <set>

namespace sabir::client {
namespace {

class EntryPoolTest : public testing::Test {
 protected:
  void free_entry(shm::EntryRef ref) {
    // What sabird does when nobody holds it any more.
    segments_->calls.entry(ref.entry).word.store(shm::EntryWord{ref.generation + 1, shm::EntryState::kFree, 0}.pack());
  }

  static shm::SegmentOptions options() {
    shm::SegmentOptions options;
    options.store_bytes = 2 << 20;
    options.objects_bytes = 2 << 20;
    return options;
  }

  Result<shm::SessionSegments> made_ = shm::SessionSegments::create(options());
  shm::SessionSegments* segments_ = &*made_;
  EntryPool pool_{segments_->calls};
};

TEST_F(EntryPoolTest, LendsEachEntryOnce) {
  shm::EntryRef ref;
  EXPECT_FALSE(pool_.take(ref));
  pool_.add_batch(3);
  std::set<uint32_t> seen;
  while (pool_.take(ref)) {
    EXPECT_EQ(ref.entry / shm::kEntriesPerBatch, 3u);
    EXPECT_TRUE(seen.insert(ref.entry).second);
  }
  EXPECT_EQ(seen.size(), shm::kEntriesPerBatch);
}

TEST_F(EntryPoolTest, FindsWhatSabirdHasFreed) {
  pool_.add_batch(0);
  std::vector<shm::EntryRef> taken;
  for (shm::EntryRef ref; pool_.take(ref);) {
    taken.push_back(ref);
  }
  free_entry(taken[17]);
  shm::EntryRef again;
  ASSERT_TRUE(pool_.take(again));
  EXPECT_EQ(again.entry, taken[17].entry);
  EXPECT_EQ(again.generation, taken[17].generation + 1);
  EXPECT_FALSE(pool_.take(again));
  pool_.give_back(taken[5]);
  ASSERT_TRUE(pool_.take(again));
  EXPECT_EQ(again, taken[5]);
}

// A batch of a dead process may hold objects that others still keep.
TEST_F(EntryPoolTest, LeavesAloneWhatIsInUse) {
  segments_->calls.entry(5).word.store(shm::EntryWord{9, shm::EntryState::kResident, 0}.pack());
  pool_.add_batch(0);
  uint32_t count = 0;
  for (shm::EntryRef ref; pool_.take(ref); ++count) {
    EXPECT_NE(ref.entry, 5u);
  }
  EXPECT_EQ(count, shm::kEntriesPerBatch - 1);
  free_entry({9, 5});
  shm::EntryRef ref;
  EXPECT_TRUE(pool_.take(ref));
  EXPECT_EQ(ref.entry, 5u);
}

}  // namespace
}  // namespace sabir::client
