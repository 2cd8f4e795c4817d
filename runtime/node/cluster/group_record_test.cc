#include "runtime/node/cluster/group_record.h"

#include <gtest/gtest.h>

#include "runtime/node/cluster/view_for_test.h"

namespace sabir::cluster {
namespace {

GroupRecord example() {
  GroupRecord record;
  record.spec = {.id = GroupId(node_id(9).bits()),
                 .job = JobKey(IdBits{.bytes = {3}}),
                 .name = "ring",
                 .name_space = "tests",
                 .detached = true,
                 .strategy = GroupStrategy::kStrictSpread};
  record.spec.bundles = {{cpus(1), {{"zone", LabelTerm::Op::kIn, {"eu", "us"}}}}, {{{"GPU", kUnit / 2}}}};
  record.order = 77;
  record.ready = true;
  record.bundles = {{node_key(4, 2), 5}, {}};
  return record;
}

TEST(GroupRecordTest, RoundTrip) {
  auto again = decode_group(encode_group(example()));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, example());
}

TEST(GroupRecordTest, EveryShorterOrLongerRecordIsRefused) {
  std::string bytes = encode_group(example());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(decode_group(std::string_view(bytes).substr(0, size)).error().kind(), ErrorKind::kInternal) << size;
  }
  EXPECT_FALSE(decode_group(bytes + "x").ok());
}

TEST(GroupRecordTest, CheckGroup) {
  EXPECT_TRUE(check_group(example().spec).ok());
  auto refused = [](auto spoil) {
    GroupSpec spec = example().spec;
    spoil(spec);
    auto result = check_group(spec);
    return !result.ok() && result.error().kind() == ErrorKind::kInvalid;
  };
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.id = {}; }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles.clear(); }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles.resize(kMaxBundles + 1, spec.bundles[0]); }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.name_space.clear(); }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.name = std::string(kMaxNameBytes + 1, 'x'); }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.strategy = static_cast<GroupStrategy>(9); }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles[0].resources = {}; }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles[0].resources = {{"CPU", 0}}; }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles[0].resources = {{"GPU", 3 * kUnit / 2}}; }));
  EXPECT_TRUE(refused([](GroupSpec& spec) { spec.bundles[0].selector = {{.key = ""}}; }));
  EXPECT_EQ(group_strategy_name(GroupStrategy::kStrictPack), "STRICT_PACK");
}

}  // namespace
}  // namespace sabir::cluster
