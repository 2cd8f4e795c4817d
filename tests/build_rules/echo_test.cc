#include "tests/build_rules/echo.h"

#include "gtest/gtest.h"
#include "tests/build_rules/event_generated.h"

namespace sabir::build_rules {
namespace {

TEST(BuildRulesTest, CapnpSchemaBecomesCode) { EXPECT_TRUE(echo_round_trip()); }

TEST(BuildRulesTest, FlatBuffersSchemaBecomesCode) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(CreateEvent(builder, 7));
  EXPECT_EQ(flatbuffers::GetRoot<Event>(builder.GetBufferPointer())->number(), 7);
}

}  // namespace
}  // namespace sabir::build_rules
