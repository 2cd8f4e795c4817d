#include "runtime/control/publisher.h"

#include <gtest/gtest.h>

#include <random>

namespace sabir::control {
namespace {

using Content = std::map<std::string, std::string>;

// The far end: applies messages, says so, and may lose its connection.
struct Subscriber {
  Content content;
  TopicVersion version;
  bool complete = false;
  int snapshots = 0;

  void apply(const TopicMessage& message) {
    if (message.snapshot) {
      content.clear();
      ++snapshots;
    }
    for (const TopicChange& change : message.changes) {
      if (change.value) {
        content[change.key] = *change.value;
      } else {
        content.erase(change.key);
      }
    }
    version = message.version;
    complete = message.complete;
  }
};

class PublisherTest : public ::testing::Test {
 protected:
  static Publisher::Options small() {
    Publisher::Options options;
    options.max_subscribers = 4;
    options.max_erased_keys = 3;
    options.message_bytes = 20;
    return options;
  }
  // Sends until nobody is ready.
  void deliver(Publisher& publisher) {
    while (auto sent = publisher.next()) {
      subscribers_[sent->first].apply(sent->second);
      publisher.acknowledge(sent->first, sent->second.topic, sent->second.version);
    }
  }

  Publisher publisher_{7, {"nodes", "actors"}, small()};
  std::map<Publisher::SubscriberId, Subscriber> subscribers_;
};

TEST_F(PublisherTest, ASnapshotThenChanges) {
  publisher_.set("nodes", "a", "1");
  publisher_.set("nodes", "b", "2");
  publisher_.erase("nodes", "b");
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  auto first = publisher_.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->first, 1u);
  EXPECT_TRUE(first->second.snapshot);
  EXPECT_TRUE(first->second.complete);
  EXPECT_EQ(first->second.version, (TopicVersion{7, 3}));
  EXPECT_EQ(first->second.changes, (std::vector<TopicChange>{{"a", "1"}})) << "not what it never had";
  publisher_.set("nodes", "a", "10");
  EXPECT_FALSE(publisher_.any_ready()) << "one message at a time";
  publisher_.set("nodes", "a", "11");
  publisher_.erase("nodes", "a");
  publisher_.set("nodes", "c", "3");
  publisher_.acknowledge(1, "nodes", first->second.version);
  auto second = publisher_.next();
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->second.snapshot);
  EXPECT_EQ(second->second.changes, (std::vector<TopicChange>{{"a", std::nullopt}, {"c", "3"}}))
      << "the latest of each";
  publisher_.acknowledge(1, "nodes", second->second.version);
  EXPECT_FALSE(publisher_.next());
}

TEST_F(PublisherTest, AnEmptyTopicIsASnapshotToo) {
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  auto first = publisher_.next();
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->second.snapshot && first->second.complete && first->second.changes.empty());
  publisher_.acknowledge(1, "nodes", first->second.version);
  EXPECT_FALSE(publisher_.any_ready());
  publisher_.set("nodes", "a", "1");
  EXPECT_TRUE(publisher_.any_ready());
}

TEST_F(PublisherTest, TheSameAgainIsNoChange) {
  publisher_.set("nodes", "a", "1");
  publisher_.set("nodes", "a", "1");
  publisher_.erase("nodes", "x");
  EXPECT_EQ(publisher_.version("nodes").number, 1u);
  publisher_.erase("nodes", "a");
  publisher_.erase("nodes", "a");
  EXPECT_EQ(publisher_.version("nodes").number, 2u);
}

TEST_F(PublisherTest, SubscribingAgainGoesOnWhereItWas) {
  publisher_.set("nodes", "a", "1");
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  deliver(publisher_);
  publisher_.set("nodes", "b", "2");
  auto lost = publisher_.next();
  ASSERT_TRUE(lost);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(publisher_.subscribe(1, "nodes", subscribers_[1].version).ok());
  }
  publisher_.acknowledge(1, "nodes", lost->second.version);
  EXPECT_TRUE(publisher_.any_ready()) << "that was another subscription";
  deliver(publisher_);
  EXPECT_EQ(subscribers_[1].content, (Content{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(subscribers_[1].snapshots, 1);
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", subscribers_[1].version).ok());
  EXPECT_FALSE(publisher_.any_ready()) << "it has all";
}

TEST_F(PublisherTest, WhoIsTooFarBehindGetsASnapshotAgain) {
  for (int i = 0; i < 8; ++i) {
    publisher_.set("nodes", std::to_string(i), "v");
  }
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  deliver(publisher_);
  for (int i = 0; i < 3; ++i) {
    publisher_.erase("nodes", std::to_string(i));
  }
  deliver(publisher_);
  EXPECT_EQ(subscribers_[1].snapshots, 1);
  auto slow = publisher_.next();
  ASSERT_FALSE(slow);
  TopicVersion before = subscribers_[1].version;
  for (int i = 3; i < 7; ++i) {
    publisher_.erase("nodes", std::to_string(i));
  }
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", before).ok());
  deliver(publisher_);
  EXPECT_EQ(subscribers_[1].snapshots, 2) << "four were erased, three are remembered";
  EXPECT_EQ(subscribers_[1].content, (Content{{"7", "v"}}));
}

TEST_F(PublisherTest, ASnapshotLargerThanAMessageEndsThoughKeysWereForgotten) {
  for (int i = 0; i < 30; ++i) {
    publisher_.set("nodes", "key" + std::to_string(i), "value");
  }
  for (int i = 10; i < 20; ++i) {
    publisher_.erase("nodes", "key" + std::to_string(i));
  }
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  for (int step = 0; step < 5; ++step) {
    auto sent = publisher_.next();
    ASSERT_TRUE(sent);
    EXPECT_FALSE(sent->second.complete);
    EXPECT_EQ(sent->second.snapshot, step == 0);
    EXPECT_LE(sent->second.changes.size(), 3u);
    subscribers_[1].apply(sent->second);
    publisher_.acknowledge(1, "nodes", sent->second.version);
  }
  publisher_.set("nodes", "key0", "changed");
  publisher_.erase("nodes", "key1");
  deliver(publisher_);
  EXPECT_TRUE(subscribers_[1].complete);
  EXPECT_EQ(subscribers_[1].snapshots, 1);
  EXPECT_EQ(subscribers_[1].content.size(), 19u);
  EXPECT_EQ(subscribers_[1].content["key0"], "changed");
}

TEST_F(PublisherTest, AnotherEpochMeansASnapshot) {
  publisher_.set("nodes", "a", "1");
  for (uint64_t epoch : {6u, 8u}) {
    ASSERT_TRUE(publisher_.subscribe(epoch, "nodes", {epoch, 1}).ok());
    EXPECT_TRUE(publisher_.next()->second.snapshot);
  }
}

TEST_F(PublisherTest, WrongSubscriptionsAreSaid) {
  EXPECT_EQ(publisher_.subscribe(1, "none", {}).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(publisher_.subscribe(1, "nodes", {7, 1}).error().kind(), ErrorKind::kInvalid);
  for (uint64_t subscriber = 1; subscriber <= 4; ++subscriber) {
    ASSERT_TRUE(publisher_.subscribe(subscriber, "nodes", {}).ok());
    ASSERT_TRUE(publisher_.subscribe(subscriber, "actors", {}).ok());
  }
  EXPECT_EQ(publisher_.subscribe(5, "nodes", {}).error().kind(), ErrorKind::kExhausted);
  publisher_.unsubscribe(4, "actors");
  EXPECT_EQ(publisher_.subscribe(5, "nodes", {}).error().kind(), ErrorKind::kExhausted);
  publisher_.remove(4);
  publisher_.remove(4);
  EXPECT_TRUE(publisher_.subscribe(5, "nodes", {}).ok());
  publisher_.acknowledge(4, "nodes", {7, 0});
  publisher_.acknowledge(5, "none", {7, 0});
}

TEST_F(PublisherTest, SubscribersTakeTurns) {
  ASSERT_TRUE(publisher_.subscribe(1, "nodes", {}).ok());
  ASSERT_TRUE(publisher_.subscribe(2, "nodes", {}).ok());
  deliver(publisher_);
  std::map<uint64_t, int> served;
  for (int i = 0; i < 20; ++i) {
    publisher_.set("nodes", "a", std::to_string(i));
    auto sent = publisher_.next();
    ASSERT_TRUE(sent);
    ++served[sent->first];
    publisher_.acknowledge(sent->first, "nodes", sent->second.version);
  }
  EXPECT_EQ(served[1], 10);
  EXPECT_EQ(served[2], 10);
}

// Slow, lossy, coming and going subscribers; in the end each has what is there, and on the way never a wrong value.
TEST_F(PublisherTest, EverybodyEndsWithTheSame) {
  int later_snapshots = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    auto pick = [&](uint32_t below) { return static_cast<uint32_t>(random() % below); };
    Publisher publisher(1, {"t"}, small());
    Content model;
    std::map<uint64_t, Subscriber> ends;
    std::map<uint64_t, TopicMessage> under_way;
    uint32_t next_value = 0;
    for (int step = 0; step < 600; ++step) {
      uint64_t who = 1 + pick(4);
      switch (pick(6)) {
        case 0:
        case 1: {
          std::string key = std::to_string(pick(15));
          model[key] = std::to_string(next_value++);
          publisher.set("t", key, model[key]);
          break;
        }
        case 2: {
          std::string key = std::to_string(pick(15));
          model.erase(key);
          publisher.erase("t", key);
          break;
        }
        case 3:
          if (auto sent = publisher.next()) {
            ASSERT_FALSE(under_way.contains(sent->first)) << "one at a time";
            under_way[sent->first] = sent->second;
          }
          break;
        case 4:
          if (under_way.contains(who)) {
            ends[who].apply(under_way[who]);
            if (ends[who].complete && under_way[who].version == publisher.version("t")) {
              ASSERT_EQ(ends[who].content, model);
            }
            publisher.acknowledge(who, "t", under_way[who].version);
            under_way.erase(who);
          }
          break;
        case 5:
          if (pick(4) == 0) {
            ASSERT_TRUE(publisher.subscribe(who, "t", ends[who].version).ok());
            under_way.erase(who);
          }
          break;
      }
    }
    for (auto& [who, message] : under_way) {
      ends[who].apply(message);
      publisher.acknowledge(who, "t", message.version);
    }
    for (uint64_t who = 1; who <= 4; ++who) {
      ASSERT_TRUE(publisher.subscribe(who, "t", ends[who].version).ok());
    }
    while (auto sent = publisher.next()) {
      ends[sent->first].apply(sent->second);
      publisher.acknowledge(sent->first, "t", sent->second.version);
    }
    for (auto& [who, end] : ends) {
      EXPECT_EQ(end.content, model) << "subscriber " << who;
      EXPECT_TRUE(end.complete);
      later_snapshots += end.snapshots - 1;
    }
  }
  EXPECT_GT(later_snapshots, 10) << "some fell behind";
}

}  // namespace
}  // namespace sabir::control
