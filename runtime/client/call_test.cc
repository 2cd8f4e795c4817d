#include "runtime/client/call.h"

#include <gtest/gtest.h>

#include <array>

#include "runtime/client/args.h"
#include "runtime/client/slab.h"

namespace sabir::client {
namespace {

std::vector<uint64_t> ids(const CallList& list) {
  std::vector<uint64_t> found;
  for (const Call* call = list.front(); call != nullptr; call = call->next) {
    found.push_back(call->id);
  }
  return found;
}

// Q7: after a death the calls of an actor go back to where they were sent.
TEST(CallListTest, PutsBackInOrder) {
  std::array<Call, 6> calls;
  for (size_t i = 0; i < calls.size(); ++i) {
    calls[i].id = i;
  }
  CallList list;
  list.push_back(&calls[4]);
  list.push_back(&calls[5]);
  for (size_t i : {2, 0, 3, 1}) {
    list.insert_in_order(&calls[i]);
  }
  EXPECT_EQ(ids(list), (std::vector<uint64_t>{0, 1, 2, 3, 4, 5}));
  list.remove(&calls[0]);
  list.remove(&calls[3]);
  list.remove(&calls[5]);
  EXPECT_EQ(ids(list), (std::vector<uint64_t>{1, 2, 4}));
  list.push_back(&calls[5]);
  EXPECT_EQ(list.size(), 4u);
  for (size_t i : {1, 2, 4, 5}) {
    list.remove(&calls[i]);
  }
  EXPECT_TRUE(list.empty());
}

TEST(SlabTest, LastFreedFirstUsed) {
  Slab<Call> slab;
  Call* first = slab.take();
  first->id = 7;
  Call* second = slab.take();
  EXPECT_EQ(slab.used_count(), 2u);
  EXPECT_EQ(slab.used().size(), 2u);
  slab.give_back(first);
  EXPECT_EQ(slab.used(), std::vector<Call*>{second});
  Call* again = slab.take();
  EXPECT_EQ(again, first);
  EXPECT_EQ(again->id, 0u);
  slab.give_back(again);
  slab.give_back(second);
  EXPECT_EQ(slab.used_count(), 0u);
}

}  // namespace
}  // namespace sabir::client
