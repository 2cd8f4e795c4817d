// Tells subscribers what changes: topics of keys with values, each change with the topic's next version. A state
// machine: the shell asks who can be sent something, sends it, and says when it was applied.
//
// There are no queues. A topic keeps the latest value of each key in the order of versions, and a subscriber is a place
// in that order: whoever is slow gets what is latest, once, however often it changed meanwhile. Erased keys are
// remembered up to a bound; a subscriber that is older than what was forgotten begins anew with a snapshot, which is
// nothing but all changes since version 0 with the word to drop what it had. Large snapshots go in several messages
// while changes go on.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::control {

// Of a topic. Versions of another epoch say nothing: that publisher is gone.
struct TopicVersion {
  uint64_t epoch = 0;
  uint64_t number = 0;  // 0: nothing
  auto operator<=>(const TopicVersion&) const = default;
};

struct TopicChange {
  std::string key;
  std::optional<std::string> value;  // none: the key is gone
  bool operator==(const TopicChange&) const = default;
};

struct TopicMessage {
  std::string topic;
  bool snapshot = false;  // drop all that you had of the topic, then apply
  bool complete = false;  // with this you have all there is; before it keys may be missing or old
  TopicVersion version;   // where you are then: acknowledge it, and name it when you subscribe again
  std::vector<TopicChange> changes;
};

// One thread.
class Publisher {
 public:
  using SubscriberId = uint64_t;

  struct Options {
    size_t max_subscribers = 16'384;
    size_t max_erased_keys = 1'024;    // remembered, per topic
    size_t message_bytes = 256 << 10;  // where a message ends; one change may be larger
  };

  // `epoch`: no earlier publisher of these topics had it. Topics are these and no others.
  Publisher(uint64_t epoch, const std::vector<std::string>& topics, Options options);
  Publisher(uint64_t epoch, const std::vector<std::string>& topics);

  bool has(std::string_view topic) const { return topics_.contains(topic); }
  // The topic must exist. The same value again is no change.
  void set(std::string_view topic, std::string_view key, std::string_view value);
  void erase(std::string_view topic, std::string_view key);  // of nothing: fine

  // From the last version that it has applied; {}: none. Again: begins at that version, what was under way is void.
  // kNotFound: no such topic. kInvalid: a version that is yet to come. kExhausted: too many subscribers.
  Result<void> subscribe(SubscriberId subscriber, const std::string& topic, const TopicVersion& from);
  void unsubscribe(SubscriberId subscriber, const std::string& topic);
  // From all topics: its connection is gone.
  void remove(SubscriberId subscriber);

  // Who can be sent something now.
  bool any_ready() const { return !ready_.empty(); }
  // The next message, and for whom; nothing more for that topic until it is acknowledged.
  std::optional<std::pair<SubscriberId, TopicMessage>> next();
  // It has applied the message of this version. Anything else is ignored: it speaks of an earlier subscription.
  void acknowledge(SubscriberId subscriber, const std::string& topic, const TopicVersion& version);

  TopicVersion version(const std::string& topic) const;

 private:
  struct Subscription {
    uint64_t at = 0;              // has all up to here
    uint64_t sent = 0;            // of the message under way
    uint64_t snapshot_until = 0;  // what was erased up to here it never had
    bool fresh = true;            // has nothing, or nothing of use: the next message is a snapshot
    bool under_way = false;
  };
  struct Value {
    uint64_t version = 0;
    std::optional<std::string> value;
  };
  struct Topic {
    uint64_t version = 0;
    uint64_t forgotten = 0;  // up to here erased keys may be missing
    std::map<std::string, Value, std::less<>> values;
    std::map<uint64_t, const std::string*> order;  // the latest change of each key
    std::set<uint64_t> erased;                     // versions
    std::map<SubscriberId, Subscription> subscriptions;
    std::vector<SubscriberId> idle;  // have all: the next change makes them ready
  };
  using Topics = std::map<std::string, Topic, std::less<>>;

  void change(Topic& topic, const std::string& name, std::string_view key, std::optional<std::string> value);
  // If there is something that it has not; else it is idle.
  void make_ready(const std::string& name, Topic& topic, SubscriberId subscriber);
  void drop(const std::string& name, Topic& topic, SubscriberId subscriber);
  TopicMessage message_for(const std::string& name, const Topic& topic, Subscription& subscription) const;

  const uint64_t epoch_;
  const Options options_;
  Topics topics_;
  std::map<SubscriberId, size_t> subscribers_;  // with how many subscriptions
  std::set<std::pair<SubscriberId, std::string>> ready_;
  std::pair<SubscriberId, std::string> last_;  // whom next() served: takes turns
};

}  // namespace sabir::control
