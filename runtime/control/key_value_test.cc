#include "runtime/control/key_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sabir::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(KeyValueTest, ListsByPrefixInPages) {
  MemoryStorage storage;
  KeyValue values(&storage);
  for (const char* key : {"b/2", "a", "b/1", "b/3", "c", "b"}) {
    ASSERT_TRUE(values.put(key, "v", true).ok());
  }
  EXPECT_THAT(values.list("b/", "", 10), ElementsAre("b/1", "b/2", "b/3"));
  EXPECT_THAT(values.list("b/", "", 2), ElementsAre("b/1", "b/2"));
  EXPECT_THAT(values.list("b/", "b/2", 2), ElementsAre("b/3"));
  EXPECT_THAT(values.list("b/", "b/3", 2), IsEmpty());
  EXPECT_THAT(values.list("", "", 3), ElementsAre("a", "b", "b/1"));
  EXPECT_THAT(values.list("d", "", 3), IsEmpty());
  ASSERT_TRUE(*values.erase("b/2"));
  EXPECT_THAT(values.list("b/", "b/1", 10), ElementsAre("b/3")) << "what is gone may still be named";
  KeyValue again(&storage);
  ASSERT_TRUE(again.load().ok());
  EXPECT_THAT(again.list("b", "", 10), ElementsAre("b", "b/1", "b/3"));
  EXPECT_EQ(again.size_bytes(), values.size_bytes());
}

}  // namespace
}  // namespace sabir::control
