// The whole: requests, tables, publications and the file.
#include "runtime/control/durable_control.h"

#include <gtest/gtest.h>

#include <vector>

#include "runtime/control/testing/fault_vfs.h"
#include "runtime/control/testing/owner_thread.h"
#include "runtime/control/testing/store_folder.h"

namespace sabir::control {
namespace {

using testing::FaultDisk;
using testing::OwnerThread;
using testing::StoreFolder;

class DurableControlTest : public ::testing::Test {
 protected:
  void SetUp() override { FaultDisk::get().mend(); }
  void TearDown() override {
    control_.reset();
    FaultDisk::get().mend();
  }

  void open() {
    control_.reset();
    DurableControl::Options options;
    options.storage = folder_.options();
    options.storage.vfs = FaultDisk::kName;
    options.topics = {"resources"};
    Result<std::unique_ptr<DurableControl>> opened =
        DurableControl::open(options, owner_.executor(), &clock_,
                             {[this](const Error& error) { stopped_.push_back(error.to_string()); }, {}});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    control_ = std::move(*opened);
  }
  // Waits for the answer: its reply, or the kind of its error.
  std::string change(uint64_t id, const Transactor::Work& work) {
    std::optional<std::string> text;
    control_->requests().change({"client", id, id}, work, [&](Result<std::string> answer) {
      text = answer.ok() ? *answer : std::string(error_kind_name(answer.error().kind()));
    });
    owner_.run_until([&] { return text.has_value(); });
    return *text;
  }
  Transactor::Work put(const std::string& key, const std::string& value) {
    return [this, key, value]() -> Result<std::string> {
      SABIR_RETURN_IF_ERROR(control_->tables().key_value().put(key, value, true));
      return key + "=" + value;
    };
  }
  Transactor::Work add_node(char name) {
    return [this, name]() -> Result<std::string> {
      NodeSpec spec;
      spec.id = std::string(16, name);
      spec.start_id = spec.id;
      spec.address = "a:1";
      SABIR_ASSIGN_OR_RETURN(uint64_t incarnation, control_->tables().nodes().register_node(spec, 0));
      return std::to_string(incarnation);
    };
  }
  std::string value_of(const std::string& key) {
    std::string text;
    control_->requests().read([&] { return control_->tables().key_value().get(key); },
                              [&](Result<std::string> answer) { text = std::move(answer).value_or("none"); });
    return text;
  }

  StoreFolder folder_;
  OwnerThread owner_;
  ManualClock clock_;
  std::vector<std::string> stopped_;
  std::unique_ptr<DurableControl> control_;
};

TEST_F(DurableControlTest, GoesOnWhereItWas) {
  open();
  EXPECT_EQ(control_->epoch(), 1u);
  EXPECT_EQ(change(1, put("k", "1")), "k=1");
  EXPECT_EQ(change(2, add_node('a')), "1");
  open();
  EXPECT_EQ(control_->epoch(), 2u);
  EXPECT_EQ(value_of("k"), "1");
  EXPECT_EQ(change(2, add_node('a')), "1") << "the answer of an earlier life";
  EXPECT_EQ(change(3, add_node('b')), "2");
}

TEST_F(DurableControlTest, TellsSubscribersWhatIsOnTheDiskAndNothingElse) {
  open();
  Publisher& publisher = control_->publisher();
  ASSERT_TRUE(publisher.subscribe(1, "nodes", {}).ok());
  ASSERT_TRUE(publisher.subscribe(1, "resources", {}).ok());
  EXPECT_EQ(publisher.subscribe(1, "key_value", {}).error().kind(), ErrorKind::kNotFound);
  while (auto sent = publisher.next()) {
    EXPECT_TRUE(sent->second.snapshot && sent->second.changes.empty());
    publisher.acknowledge(1, sent->second.topic, sent->second.version);
  }
  EXPECT_EQ(change(1, put("k", "1")), "k=1");
  EXPECT_FALSE(publisher.any_ready());
  FaultDisk::get().set(FaultDisk::Fault::kFull);
  EXPECT_EQ(change(2, add_node('a')), "exhausted");
  EXPECT_FALSE(publisher.any_ready()) << "it did not happen";
  FaultDisk::get().mend();
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(change(3, add_node('a')), "1");
  auto sent = publisher.next();
  ASSERT_TRUE(sent);
  ASSERT_EQ(sent->second.changes.size(), 1u);
  EXPECT_EQ(Nodes::decode(*sent->second.changes[0].value)->incarnation, 1u);
}

TEST_F(DurableControlTest, ARestartIsASnapshot) {
  open();
  EXPECT_EQ(change(1, add_node('a')), "1");
  TopicVersion before = control_->publisher().version("nodes");
  open();
  Publisher& publisher = control_->publisher();
  ASSERT_TRUE(publisher.subscribe(1, "nodes", before).ok());
  auto sent = publisher.next();
  ASSERT_TRUE(sent);
  EXPECT_TRUE(sent->second.snapshot);
  ASSERT_EQ(sent->second.changes.size(), 1u);
  EXPECT_EQ(Nodes::decode(*sent->second.changes[0].value)->spec.id, std::string(16, 'a'));
  publisher.set("resources", "a", "4 CPU");
}

TEST_F(DurableControlTest, AFullDiskRefusesChangesReadsGoOnAndRoomIsEnough) {
  open();
  EXPECT_EQ(change(1, put("k", "1")), "k=1");
  FaultDisk::get().set(FaultDisk::Fault::kFull);
  EXPECT_EQ(change(2, put("k", "2")), "exhausted");
  EXPECT_EQ(change(3, put("k", "3")), "exhausted");
  EXPECT_EQ(value_of("k"), "1");
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(change(4, put("k", "4")), "exhausted") << "tried in vain";
  EXPECT_EQ(value_of("k"), "1");
  FaultDisk::get().mend();
  clock_.advance_ns(kSecondNs);
  EXPECT_EQ(change(5, put("k", "5")), "k=5");
  EXPECT_EQ(change(6, put("l", "6")), "l=6");
  open();
  EXPECT_EQ(value_of("k"), "5");
  EXPECT_TRUE(stopped_.empty());
}

TEST_F(DurableControlTest, AFailedDiskEndsItAndTheNextLifeKnows) {
  open();
  EXPECT_EQ(change(1, put("k", "1")), "k=1");
  FaultDisk::get().set(FaultDisk::Fault::kBadWrite);
  EXPECT_EQ(change(2, put("k", "2")), "disconnected");
  ASSERT_EQ(stopped_.size(), 1u);
  EXPECT_EQ(value_of("k"), "none") << "nobody knows";
  FaultDisk::get().mend();
  open();
  EXPECT_EQ(change(2, put("k", "2")), "k=2");
  EXPECT_EQ(value_of("k"), "2");
}

TEST_F(DurableControlTest, ATakeoverEndsTheFirst) {
  open();
  EXPECT_EQ(change(1, put("k", "1")), "k=1");
  auto next = folder_.open();
  EXPECT_EQ(change(2, put("k", "2")), "disconnected");
  EXPECT_EQ(stopped_.size(), 1u);
  EXPECT_EQ(*next->get("key_value", "k"), "1");
}

TEST_F(DurableControlTest, WhatWasAcceptedIsWrittenAtTheEnd) {
  open();
  int answers = 0;
  for (uint64_t id = 1; id <= 100; ++id) {
    control_->requests().change({"client", id, 1}, put(std::to_string(id), "v"),
                                [&](Result<std::string>) { ++answers; });
  }
  control_.reset();
  owner_.run_ready();
  EXPECT_EQ(answers, 0) << "its end answers nobody";
  open();
  EXPECT_EQ(value_of("100"), "v");
}

}  // namespace
}  // namespace sabir::control
