#include "runtime/base/language.h"

#include <gtest/gtest.h>

namespace sabir {
namespace {

TEST(LanguageTest, HasTheNameThatPeopleUse) {
  EXPECT_EQ(language_name(0), "no language");
  EXPECT_EQ(language_name(1), "Python");
  EXPECT_EQ(language_name(3), "C++");
  EXPECT_EQ(language_name(4), "C");
  EXPECT_EQ(language_name(128), "language 128");
}

}  // namespace
}  // namespace sabir
