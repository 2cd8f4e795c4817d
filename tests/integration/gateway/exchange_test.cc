// What a gateway keeps for its peer, and what it says when it keeps it no more; the peer is the test.
#include "runtime/gateway/exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>

#include "runtime/client/refs.h"
#include "tests/integration/gateway/fake_link.h"

namespace sabir::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr rpc::ObjectId kPromised{77, 1};
constexpr rpc::ObjectId kStored{77, 2};
constexpr size_t kStoredBytes = 100'000;

// Two drivers of one node.
class ExchangeTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    client::DriverOptions options;
    options.address = "local";
    options.node.resources = {{"CPU", 10'000}};
    options.node.store_bytes = 64 << 20;
    options.job.language_envs = {{1, rpc::LaunchMode::kExec, {"/bin/sleep", "1000"}, 1}};
    first_ = client::Client::start_driver(options).value();
    options.address = first_->core().self.welcome().session_path;
    options.node = {};
    second_ = client::Client::start_driver(options).value();
  }
  static void TearDownTestSuite() {
    second_.reset();
    first_.reset();
  }

  static rpc::WireValue value_of(const std::string& bytes) {
    rpc::WireValue value;
    value.encoding = SABIR_NEUTRAL;
    value.bytes = bytes;
    return value;
  }
  static rpc::WireValue stored_value() {
    rpc::WireValue value = value_of("");
    value.stored = rpc::WireValue::Stored{kStored, kStoredBytes};
    return value;
  }
  static rpc::WireValue holding_promise(rpc::ObjectId id) {
    rpc::WireValue value = value_of("box");
    value.refs.emplace_back().id = id;
    return value;
  }
  // From the peer.
  void say(rpc::NodeMessage message) {
    Result<void> taken = exchange_.receive(std::move(message));
    ASSERT_TRUE(taken.ok()) << taken.error().message();
  }
  void say_call(uint32_t job, rpc::WireValue argument) {
    say(rpc::JobDefinition{job, std::string(16, static_cast<char>('a' + job)), {}});
    say(rpc::FunctionDefinition{1, {.kind = 0, .language = 1, .name = "f", .code = "c"}});
    say(rpc::ClassDefinition{1, {{"CPU", 10'000}}});
    rpc::CallMessage call;
    call.number = ++last_call_;
    call.job = job;
    call.function = call.class_number = 1;
    call.args.push_back({"", std::move(argument)});
    say(std::move(call));
  }
  // Calls of job 1 and 2 belong to the first and the second driver.
  Result<std::shared_ptr<client::Client>> open_job(const rpc::JobDefinition& job) {
    ++opened_;
    if (closed_) {
      return Error(ErrorKind::kExhausted, "too many processes");
    }
    return job.number == 1 ? first_ : second_;
  }

  inline static std::shared_ptr<client::Client> first_, second_;
  ::sabir::testing::FakeLink link_;
  ManualClock clock_;
  uint64_t last_call_ = 0;
  int opened_ = 0;
  bool closed_ = false;
  NodeObjects objects_{clock_, [](const auto&, const auto& then) { then(nullptr); }};
  Exchange exchange_{link_, clock_, objects_, [this](const auto& job) { return open_job(job); }};
};

TEST_F(ExchangeTest, APromiseIsKeptForAllWhoHaveIt) {
  say_call(1, holding_promise(kPromised));
  say_call(2, holding_promise(kPromised));
  ASSERT_THAT(link_.take<rpc::ResultMessage>(), IsEmpty());
  say(rpc::ResolvedMessage{kPromised, stored_value()});
  auto pulls = link_.receives();
  ASSERT_THAT(pulls, SizeIs(2)) << "each has it in its own session";
  std::memset(pulls[0].destination.data(), 1, kStoredBytes);
  std::memset(pulls[1].destination.data(), 1, kStoredBytes);
  pulls[0].on_end({});
  EXPECT_THAT(link_.take<rpc::ReleasedMessage>(), IsEmpty()) << "the other one still needs it";
  pulls[1].on_end({});
  auto released = link_.take<rpc::ReleasedMessage>();
  ASSERT_THAT(released, SizeIs(1));
  EXPECT_THAT(released[0].ids, ElementsAre(kStored)) << "it was named once";
}

TEST_F(ExchangeTest, WhatNobodyWaitsForIsReleased) {
  say(rpc::ResolvedMessage{kPromised, stored_value()});
  rpc::WireValue box = value_of("box");
  box.refs.emplace_back().id = kPromised;
  box.refs.back().value = std::make_unique<rpc::WireValue>(stored_value());
  rpc::ResultMessage result;
  result.number = 12345;
  result.values.push_back(std::move(box));
  say(std::move(result));
  auto released = link_.take<rpc::ReleasedMessage>();
  ASSERT_THAT(released, SizeIs(2));
  EXPECT_THAT(released[0].ids, ElementsAre(kStored));
  EXPECT_THAT(released[1].ids, ElementsAre(kStored)) << "also inside of references";
}

TEST_F(ExchangeTest, ACallOfAJobThatDoesNotOpenIsRefusedAndTriedAgainLater) {
  closed_ = true;
  say_call(1, stored_value());
  auto results = link_.take<rpc::ResultMessage>();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].outcome, rpc::Outcome::kLost);
  EXPECT_THAT(results[0].message, HasSubstr("too many processes"));
  EXPECT_THAT(link_.take<rpc::ReleasedMessage>(), SizeIs(1)) << "nothing stays named for a call that was refused";
  closed_ = false;
  say_call(1, value_of("v"));
  EXPECT_THAT(link_.take<rpc::ResultMessage>(), SizeIs(1)) << "not at once";
  EXPECT_EQ(opened_, 1);
  clock_.advance_ns(Exchange::kOpenJobPauseNs);
  say_call(1, value_of("v"));
  EXPECT_THAT(link_.take<rpc::ResultMessage>(), IsEmpty());
  EXPECT_EQ(opened_, 2);
}

TEST_F(ExchangeTest, OfAJobThatHasEndedNothingStaysNamed) {
  say(rpc::JobOverMessage{9});
  say_call(9, stored_value());
  EXPECT_THAT(link_.take<rpc::ResultMessage>(), SizeIs(1));
  EXPECT_THAT(link_.take<rpc::ReleasedMessage>(), SizeIs(1));
  rpc::CallMessage unknown;
  unknown.job = 4711;
  unknown.args.push_back({"", stored_value()});
  EXPECT_EQ(exchange_.receive(std::move(unknown)).error().kind(), ErrorKind::kInvalid);
  EXPECT_THAT(link_.take<rpc::ReleasedMessage>(), SizeIs(1));
}

TEST_F(ExchangeTest, WhoeverBringsAValueDoesNotWaitForRoomInTheStore) {
  client::Relay relay(*first_);
  std::string large(40 << 20, 'x');
  client::Future* filler = relay.make_value({.encoding = SABIR_NEUTRAL}, {}, large, kSecondNs).value();
  rpc::WireValue value = holding_promise(kPromised);  // with references in it it is put together here
  value.stored = rpc::WireValue::Stored{kStored, large.size()};
  say_call(1, std::move(value));
  auto pulls = link_.receives();
  ASSERT_THAT(pulls, SizeIs(1));
  pulls[0].on_end({});
  EXPECT_TRUE(exchange_.has_to_sweep()) << "there is no room for it yet, and nobody waits here";
  client::release(filler);
  for (int i = 0; i < 1000 && exchange_.has_to_sweep(); ++i) {
    ::usleep(20'000);
  }
  EXPECT_FALSE(exchange_.has_to_sweep());
  EXPECT_THAT(link_.take<rpc::ResultMessage>(), IsEmpty()) << "it has been submitted";
}

// --- The other direction: what this node names.

class OutgoingTest : public ExchangeTest {
 protected:
  // The same reference in both sessions, pending.
  client::Future* promise(client::Client& client) {
    return client::Relay(client).promise(kPromised.uid, kPromised.sequence);
  }
  std::shared_ptr<client::EventQueue> queue_ = client::EventQueue::create().value();
  NamedObjects named_;
  Outgoing first_out_{*first_, link_, named_, queue_};
  Outgoing second_out_{*second_, link_, named_, queue_};
};

TEST_F(OutgoingTest, MentionsAreCountedWhoeverMadeThem) {
  client::Future* one = promise(*first_);
  client::Future* other = promise(*second_);
  named_.name(first_.get(), one);
  named_.name(second_.get(), other);
  EXPECT_THAT(named_.forget(first_.get()), IsEmpty());
  auto found = named_.find(kPromised);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->future, other) << "the other session has it, too";
  client::release(found->future);
  named_.release(kPromised);
  EXPECT_TRUE(named_.has_any_of(second_.get())) << "that was the first one's mention";
  named_.release(kPromised);
  EXPECT_FALSE(named_.find(kPromised).has_value());
  EXPECT_FALSE(named_.has_any_of(second_.get()));
  client::release(one);
  client::release(other);
}

TEST_F(OutgoingTest, MentionsOfWhoHasLeftAreNotTakenForThoseOfAnother) {
  client::Future* one = promise(*first_);
  client::Future* other = promise(*second_);
  named_.name(first_.get(), one);
  named_.forget(first_.get());
  EXPECT_FALSE(named_.find(kPromised).has_value());
  named_.name(second_.get(), other);
  named_.release(kPromised);
  auto found = named_.find(kPromised);
  ASSERT_TRUE(found.has_value());
  client::release(found->future);
  named_.release(kPromised);
  EXPECT_FALSE(named_.find(kPromised).has_value());
  client::release(one);
  client::release(other);
}

TEST_F(OutgoingTest, WhoLeavesBreaksWhatItAloneHadPromised) {
  client::Future* one = promise(*first_);
  client::Future* other = promise(*second_);
  client::Relay relay(*first_);
  client::Relay other_relay(*second_);
  client::Future* refs[] = {one};
  client::Future* other_refs[] = {other};
  client::Future* box = relay.make_value({.encoding = SABIR_NEUTRAL}, refs, "box", kSecondNs).value();
  client::Future* other_box = other_relay.make_value({.encoding = SABIR_NEUTRAL}, other_refs, "box", kSecondNs).value();
  EXPECT_EQ(first_out_.write(box).value().refs.at(0).value, nullptr) << "it is promised";
  EXPECT_EQ(second_out_.write(other_box).value().refs.at(0).value, nullptr);
  first_out_.leave();
  EXPECT_THAT(link_.take<rpc::ResolvedMessage>(), IsEmpty()) << "the other one keeps it";
  second_out_.leave();
  auto broken = link_.take<rpc::ResolvedMessage>();
  ASSERT_THAT(broken, SizeIs(1));
  EXPECT_EQ(broken[0].id, kPromised);
  EXPECT_TRUE(broken[0].value.is_error);
  for (client::Future* future : {one, other, box, other_box}) {
    client::release(future);
  }
}

TEST_F(OutgoingTest, WhatIsNotPostedIsNotKept) {
  client::Relay relay(*first_);
  std::string bytes(kStoredBytes, 'x');
  client::Future* object = relay.make_value({.encoding = SABIR_NEUTRAL}, {}, bytes, kSecondNs).value();
  client::Future* refs[] = {object, object};
  client::Future* box = relay.make_value({.encoding = SABIR_NEUTRAL}, refs, "box", kSecondNs).value();
  rpc::WireValue value = first_out_.write(box).value();
  EXPECT_TRUE(named_.has_any_of(first_.get()));
  first_out_.take_back(value);
  EXPECT_FALSE(named_.has_any_of(first_.get()));
  client::release(box);
  client::release(object);
}

}  // namespace
}  // namespace sabir::gateway
