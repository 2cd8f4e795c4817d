#include "runtime/client/error_value.h"

#include <gtest/gtest.h>

#include "runtime/client/value_format.h"

namespace sabir::client {
namespace {

TEST(ErrorValueTest, RoundTrip) {
  std::vector<uint8_t> cause = make_error_map({.kind = ErrorKind::kWorkerCrashed, .message = "killed by signal 9"});
  std::vector<uint8_t> map = make_error_map({.message = "boom",
                                             .language = 1,
                                             .type = "builtins.ValueError",
                                             .stack = "line 1",
                                             .native = cause,
                                             .cause = cause});
  ErrorSummary summary = read_error_map(map);
  EXPECT_EQ(summary.kind, ErrorKind::kTaskFailed);
  EXPECT_EQ(summary.message, "boom");
  EXPECT_EQ(summary.type, "builtins.ValueError");
}

TEST(ErrorValueTest, DeepChainsEnd) {
  std::vector<uint8_t> map;
  size_t last = 0;
  for (int i = 0; i < 40; ++i) {
    map = make_error_map({.message = "m", .cause = map});
    if (i == 20) {
      last = map.size();
    }
  }
  EXPECT_EQ(map.size(), last);
}

TEST(ErrorValueTest, DamagedBytesAreAnInternalError) {
  std::vector<uint8_t> map = make_error_map({.message = "boom"});
  for (size_t size = 0; size < map.size(); ++size) {
    read_error_map(std::span(map).first(size));
  }
  EXPECT_EQ(read_error_map({}).kind, ErrorKind::kInternal);
}

TEST(ErrorValueTest, WholeValueParses) {
  std::vector<uint8_t> bytes = make_error_value(ErrorKind::kActorDied, "gone", kStoreAlignment);
  std::optional<ParsedValue> value = parse_value(bytes, kStoreAlignment);
  ASSERT_TRUE(value);
  EXPECT_EQ(value->header.flags, kValueIsError);
  EXPECT_EQ(read_error_map(value->data).kind, ErrorKind::kActorDied);
}

}  // namespace
}  // namespace sabir::client
