#include "runtime/node/job_teller.h"

#include <gtest/gtest.h>

#include <vector>

namespace sabir::node {
namespace {

using cluster::ControlResult;

class JobTellerTest : public testing::Test {
 protected:
  static cluster::ClusterJob job(char id) { return {.id = std::string(16, id), .name = "train"}; }
  // 's' or 'e' and the job, of what was asked.
  std::string said() {
    std::string text;
    for (const cluster::ControlQuestion& what : asked) {
      if (const auto* start = std::get_if<cluster::StartJob>(&what)) {
        text += std::string("s") + start->job.id[0];
      } else {
        text += std::string("e") + std::get<cluster::EndJob>(what).id[0];
      }
    }
    return text;
  }
  void answer(Result<ControlResult> result) {
    ASSERT_TRUE(waits);
    std::exchange(waits, nullptr)(std::move(result));
  }
  void done() { answer(ControlResult(cluster::Done{})); }

  ManualClock clock;
  std::vector<cluster::ControlQuestion> asked;
  cluster::ControlClient::Answered waits;
  JobTeller teller{&clock, Logger(), [this](cluster::ControlQuestion what, cluster::ControlClient::Answered answered) {
                     asked.push_back(std::move(what));
                     waits = std::move(answered);
                   }};
};

TEST_F(JobTellerTest, OneWordAfterAnother) {
  teller.started(job('a'));
  teller.started(job('b'));
  teller.ended(job('a').id, "its driver closed its connection");
  EXPECT_EQ(said(), "sa");
  done();
  done();
  EXPECT_EQ(said(), "sasbea");
  EXPECT_FALSE(teller.idle());
  done();
  EXPECT_TRUE(teller.idle());
}

TEST_F(JobTellerTest, WhatIsRefusedGoesAgainBeforeWhatFollows) {
  teller.started(job('a'));
  teller.ended(job('a').id, "its driver closed its connection");
  answer(exhausted_error("the disk is full"));
  teller.tick();
  EXPECT_EQ(said(), "sa") << "not at once";
  clock.advance_ns(kSecondNs);
  teller.tick();
  EXPECT_EQ(said(), "sasa");
  answer(timeout_error("nobody answers"));
  clock.advance_ns(kSecondNs);
  teller.tick();
  done();
  EXPECT_EQ(said(), "sasasaea");
}

TEST_F(JobTellerTest, WhatCannotBeSaidIsNotInTheWay) {
  teller.started(job('a'));
  teller.started(job('b'));
  answer(invalid_error("another node's"));
  EXPECT_EQ(said(), "sasb");
}

TEST_F(JobTellerTest, WordsAreBounded) {
  for (size_t i = 0; i < JobTeller::kMaxWords + 10; ++i) {
    teller.started(job('a'));
  }
  for (size_t i = 0; i < JobTeller::kMaxWords; ++i) {
    done();
  }
  EXPECT_TRUE(teller.idle());
}

}  // namespace
}  // namespace sabir::node
