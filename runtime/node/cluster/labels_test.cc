#include "runtime/node/cluster/labels.h"

#include <gtest/gtest.h>

namespace sabir::cluster {
namespace {

using Op = LabelTerm::Op;

LabelTerm parsed(std::string_view key, std::string_view text) {
  auto term = parse_label_term(key, text);
  EXPECT_TRUE(term.ok()) << text;
  return term.ok() ? *term : LabelTerm{};
}

TEST(LabelsTest, ParsesEachForm) {
  EXPECT_EQ(parsed("zone", "eu"), (LabelTerm{"zone", Op::kIn, {"eu"}}));
  EXPECT_EQ(parsed("zone", "!eu"), (LabelTerm{"zone", Op::kNotIn, {"eu"}}));
  EXPECT_EQ(parsed("zone", " in( eu ,us) "), (LabelTerm{"zone", Op::kIn, {"eu", "us"}}));
  EXPECT_EQ(parsed("zone", "!in(eu)"), (LabelTerm{"zone", Op::kNotIn, {"eu"}}));
  EXPECT_EQ(parsed("zone", "exists()"), (LabelTerm{"zone", Op::kExists, {}}));
  EXPECT_EQ(parsed("zone", "!exists()"), (LabelTerm{"zone", Op::kAbsent, {}}));
  EXPECT_EQ(parsed("zone", "indeed"), (LabelTerm{"zone", Op::kIn, {"indeed"}}));
  EXPECT_EQ(parsed("zone", ""), (LabelTerm{"zone", Op::kIn, {""}}));
}

TEST(LabelsTest, RefusesWhatIsNoTerm) {
  for (const char* text : {"in()", "in(a,)", "in(a", "a,b", "!!a", "exists(a)", "in(a)b", "(a)"}) {
    EXPECT_EQ(parse_label_term("zone", text).error().kind(), ErrorKind::kInvalid) << text;
  }
  EXPECT_FALSE(parse_label_term("", "a").ok());
  EXPECT_FALSE(parse_label_term("zone", std::string(kMaxLabelBytes + 1, 'a')).ok());
  std::string many = "in(a";
  for (size_t i = 0; i < kMaxSelectorValues; ++i) {
    many += ",a";
  }
  EXPECT_FALSE(parse_label_term("zone", many + ")").ok());
}

TEST(LabelsTest, Matches) {
  Labels labels = {{"zone", "eu"}, {"disk", ""}};
  EXPECT_TRUE(matches(parsed("zone", "eu"), labels));
  EXPECT_FALSE(matches(parsed("zone", "us"), labels));
  EXPECT_TRUE(matches(parsed("zone", "in(us, eu)"), labels));
  EXPECT_FALSE(matches(parsed("zone", "!in(us, eu)"), labels));
  EXPECT_TRUE(matches(parsed("zone", "!us"), labels));
  EXPECT_TRUE(matches(parsed("disk", ""), labels));
  EXPECT_TRUE(matches(parsed("disk", "exists()"), labels));
  EXPECT_FALSE(matches(parsed("rack", "exists()"), labels));
  EXPECT_TRUE(matches(parsed("rack", "!exists()"), labels));
  EXPECT_TRUE(matches(parsed("rack", "!a"), labels)) << "what is not there has no forbidden value";
  EXPECT_FALSE(matches(parsed("rack", "a"), labels));
  EXPECT_TRUE(matches(LabelSelector{}, labels));
  EXPECT_FALSE(matches(LabelSelector{parsed("zone", "eu"), parsed("rack", "a")}, labels));
}

TEST(LabelsTest, Describes) {
  EXPECT_EQ(describe(LabelSelector{parsed("zone", "in(a, b)"), parsed("gpu", "!none")}),
            "zone in (a, b) and gpu != none");
  EXPECT_EQ(describe(parsed("zone", "!exists()")), "zone does not exist");
}

TEST(LabelsTest, BoundsOfLabelsAndSelectors) {
  EXPECT_TRUE(check_labels({{"a", "b"}}).ok());
  EXPECT_FALSE(check_labels({{"", "b"}}).ok());
  EXPECT_FALSE(check_labels({{"a", std::string(kMaxLabelBytes + 1, 'b')}}).ok());
  Labels many;
  for (size_t i = 0; i <= kMaxLabels; ++i) {
    many[std::to_string(i)] = "x";
  }
  EXPECT_FALSE(check_labels(many).ok());
  EXPECT_FALSE(check_selector({{"a", Op::kIn, {}}}).ok());
  EXPECT_FALSE(check_selector({{"a", Op::kExists, {"b"}}}).ok());
  EXPECT_FALSE(check_selector({{"a", static_cast<Op>(9), {}}}).ok());
  EXPECT_FALSE(check_selector(LabelSelector(kMaxSelectorTerms + 1, {"a", Op::kExists, {}})).ok());
}

}  // namespace
}  // namespace sabir::cluster
