#include "runtime/shm/word.h"

#include <gtest/gtest.h>

#include "runtime/shm/layout_hash.h"

namespace sabir::shm {
namespace {

TEST(WordTest, CellWordKeepsItsParts) {
  CellWord word{kGenerationMask, CellState::kDone, 0xffff};
  EXPECT_EQ(CellWord::unpack(word.pack()), word);
  EXPECT_EQ(CellWord{}.pack(), 0u) << "new memory is a FREE cell of generation 0 (Q2)";
  EXPECT_EQ((CellWord{1, CellState::kQueued, 0}.pack()), uint64_t{1} << 24 | 1 << 20);
}

TEST(WordTest, CellRefKeepsItsParts) {
  CellRef ref{kGenerationMask, kMaxCells - 1};
  EXPECT_EQ(CellRef::unpack(ref.pack()), ref);
}

TEST(WordTest, LeaseWordSaysWhetherItIsGranted) {
  EXPECT_FALSE(LeaseWord::unpack(LeaseWord{7, 0, 0}.pack()).granted());
  LeaseWord word = LeaseWord::unpack(LeaseWord{7, 1, 2}.pack());
  EXPECT_TRUE(word.granted());
  EXPECT_EQ(word.epoch, 7u);
  EXPECT_EQ(word.first_queue_plus_one, 2);
}

TEST(WordTest, ActorAndEntryWordsKeepTheirParts) {
  ActorWord actor = ActorWord::unpack(ActorWord{~0u, ActorState::kDead, 0xffff}.pack());
  EXPECT_EQ(actor.incarnation, ~0u);
  EXPECT_EQ(actor.state, ActorState::kDead);
  EXPECT_EQ(actor.slot, 0xffff);
  EntryWord entry = EntryWord::unpack(EntryWord{kGenerationMask, EntryState::kLost, EntryWord::kIsActor}.pack());
  EXPECT_EQ(entry.generation, kGenerationMask);
  EXPECT_EQ(entry.state, EntryState::kLost);
  EXPECT_EQ(entry.flags, EntryWord::kIsActor);
}

TEST(LayoutHashTest, DependsOnOrderAndValueOfEachNumber) {
  EXPECT_NE(internal::fnv1a({1, 2}), internal::fnv1a({2, 1}));
  EXPECT_NE(internal::fnv1a({1, 2}), internal::fnv1a({1, 3}));
  EXPECT_NE(internal::fnv1a({1}), internal::fnv1a({1, 0}));
  EXPECT_NE(kLayoutHash, 0u);
}

}  // namespace
}  // namespace sabir::shm
