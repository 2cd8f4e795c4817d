#include "runtime/node/cluster/control_client.h"

#include <gtest/gtest.h>

namespace sabir::cluster {
namespace {

class ControlClientTest : public ::testing::Test {
 protected:
  void get(const std::string& key, int64_t patience_ns = 10 * kSecondNs) {
    client_.ask(GetValue{key}, patience_ns, [this, key](Result<ControlResult> result) {
      answers_.push_back(
          key + "=" +
          (result.ok() ? std::get<std::string>(*result) : std::string(error_kind_name(result.error().kind()))));
    });
  }
  // "number/lowest key", of what is due.
  std::vector<std::string> due() {
    std::vector<std::string> sent;
    for (const ControlRequest& request : client_.due(7)) {
      EXPECT_EQ(request.epoch, 7u);
      sent.push_back(std::to_string(request.number) + "/" + std::to_string(request.lowest_unanswered) + " " +
                     std::get<GetValue>(request.what).key);
    }
    return sent;
  }
  void answer(uint64_t number, const std::string& value) { client_.answered({number, {}, value}); }
  using Texts = std::vector<std::string>;

  ManualClock clock_;
  ControlClient client_{&clock_, {.repeat_ns = kSecondNs, .max_open = 3, .max_waiting = 3}};
  Texts answers_;
};

TEST_F(ControlClientTest, ARequestIsRepeatedUntilItsAnswerComes) {
  get("a");
  get("b");
  EXPECT_EQ(due(), (Texts{"1/1 a", "2/1 b"}));
  EXPECT_EQ(due(), Texts());
  EXPECT_EQ(client_.next_wake_ns(), clock_.now_ns() + kSecondNs);
  answer(1, "x");
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(due(), (Texts{"2/2 b"}));
  answer(2, "y");
  answer(2, "z");
  answer(7, "nobody asked");
  EXPECT_EQ(answers_, (Texts{"a=x", "b=y"}));
  EXPECT_EQ(client_.open(), 0u);
  EXPECT_EQ(client_.next_wake_ns(), std::nullopt);
}

TEST_F(ControlClientTest, AllAreRepeatedForAnotherControlStore) {
  get("a");
  get("b");
  due();
  client_.repeat_all();
  EXPECT_EQ(due(), (Texts{"1/1 a", "2/1 b"}));
}

TEST_F(ControlClientTest, NumbersStayNearTheLowestThatIsOpen) {
  for (const char* key : {"a", "b", "c", "d", "e"}) {
    get(key);
  }
  EXPECT_EQ(due(), (Texts{"1/1 a", "2/1 b", "3/1 c"}));
  answer(2, "x");
  EXPECT_EQ(due(), Texts()) << "1 is open: 4 would be too far above it";
  answer(1, "x");
  EXPECT_EQ(due(), (Texts{"4/3 d", "5/3 e"}));
  for (const char* key : {"f", "g", "h", "i"}) {
    get(key);
  }
  EXPECT_EQ(answers_.back(), "i=" + std::string(error_kind_name(ErrorKind::kExhausted)));
}

TEST_F(ControlClientTest, BytesAreBoundedToo) {
  ControlClient client(&clock_, {.max_open_bytes = 4 << 20, .max_waiting_bytes = 3 << 20});
  std::vector<ErrorKind> refused;
  for (int i = 0; i < 8; ++i) {
    client.ask(PutValue{"key", std::string(1'000'000, 'v')}, kSecondNs, [&](const Result<ControlResult>& result) {
      if (!result.ok()) {
        refused.push_back(result.error().kind());
      }
    });
  }
  EXPECT_EQ(client.due(7).size(), 4u) << "so much goes again at most";
  EXPECT_EQ(refused, std::vector<ErrorKind>(1, ErrorKind::kExhausted)) << "three wait, and no more";
  client.answered({1, {}, true});
  EXPECT_EQ(client.due(7).size(), 1u);
  client.ask(GetValue{"key"}, kSecondNs, [](const Result<ControlResult>&) {});
  EXPECT_TRUE(client.due(7).empty());
  for (uint64_t number = 2; number <= 5; ++number) {
    client.answered({number, {}, true});
  }
  EXPECT_EQ(client.due(7).size(), 3u);
  clock_.advance_ns(kSecondNs);
  client.expire();
  EXPECT_EQ(client.open(), 0u);
  for (int i = 0; i < 5; ++i) {
    client.ask(GetValue{"key"}, kSecondNs, [](const Result<ControlResult>&) {});
  }
  EXPECT_EQ(client.due(8).size(), 3u) << "with what may come back";
}

TEST_F(ControlClientTest, WhoGivesUpIsToldSoAndTheNumberIsDone) {
  get("a", kSecondNs);
  get("b");
  due();
  clock_.advance_ns(kSecondNs);
  client_.expire();
  EXPECT_EQ(answers_, (Texts{"a=" + std::string(error_kind_name(ErrorKind::kTimeout))}));
  EXPECT_EQ(due(), (Texts{"2/2 b"}));
  answer(1, "late");
  EXPECT_EQ(answers_.size(), 1u);
}

TEST_F(ControlClientTest, AnAnswerMayAskAgain) {
  client_.ask(GetValue{"a"}, kSecondNs, [this](Result<ControlResult>) { get("b"); });
  due();
  clock_.advance_ns(kSecondNs);
  client_.expire();
  EXPECT_EQ(due(), (Texts{"2/2 b"}));
}

}  // namespace
}  // namespace sabir::cluster
