#include "runtime/control/publisher.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::control {

Publisher::Publisher(uint64_t epoch, const std::vector<std::string>& topics) : Publisher(epoch, topics, Options()) {}

Publisher::Publisher(uint64_t epoch, const std::vector<std::string>& topics, Options options)
    : epoch_(epoch), options_(options) {
  for (const std::string& name : topics) {
    topics_.try_emplace(name);
  }
}

void Publisher::set(std::string_view topic, std::string_view key, std::string_view value) {
  auto found = topics_.find(topic);
  SABIR_CHECK(found != topics_.end(), topic);
  auto before = found->second.values.find(key);
  if (before == found->second.values.end() || before->second.value != value) {
    change(found->second, found->first, key, std::string(value));
  }
}

void Publisher::erase(std::string_view topic, std::string_view key) {
  auto found = topics_.find(topic);
  SABIR_CHECK(found != topics_.end(), topic);
  auto before = found->second.values.find(key);
  if (before != found->second.values.end() && before->second.value) {
    change(found->second, found->first, key, std::nullopt);
  }
}

void Publisher::change(Topic& topic, const std::string& name, std::string_view key, std::optional<std::string> value) {
  auto [at, is_new] = topic.values.try_emplace(std::string(key));
  if (!is_new) {
    topic.order.erase(at->second.version);
    topic.erased.erase(at->second.version);
  }
  uint64_t version = ++topic.version;
  if (!value) {
    topic.erased.insert(version);
  }
  at->second = {version, std::move(value)};
  topic.order.emplace(version, &at->first);
  if (topic.erased.size() > options_.max_erased_keys) {
    topic.forgotten = *topic.erased.begin();
    topic.erased.erase(topic.erased.begin());
    auto oldest = topic.order.find(topic.forgotten);
    auto row = topic.values.find(*oldest->second);
    topic.order.erase(oldest);
    topic.values.erase(row);
  }
  for (SubscriberId subscriber : std::exchange(topic.idle, {})) {
    ready_.emplace(subscriber, name);
  }
}

Result<void> Publisher::subscribe(SubscriberId subscriber, const std::string& topic, const TopicVersion& from) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) {
    return not_found_error("there is no topic " + topic.substr(0, 100));
  }
  if (from.epoch == epoch_ && from.number > found->second.version) {
    return invalid_error("nobody was sent that version of " + topic + " yet");
  }
  if (!subscribers_.contains(subscriber) && subscribers_.size() >= options_.max_subscribers) {
    return exhausted_error("already " + std::to_string(options_.max_subscribers) + " subscribers");
  }
  drop(found->first, found->second, subscriber);
  ++subscribers_[subscriber];
  Subscription subscription;
  subscription.fresh = from.epoch != epoch_ || from.number == 0;
  subscription.at = subscription.fresh ? 0 : from.number;
  found->second.subscriptions.emplace(subscriber, subscription);
  make_ready(found->first, found->second, subscriber);
  return {};
}

void Publisher::make_ready(const std::string& name, Topic& topic, SubscriberId subscriber) {
  const Subscription& subscription = topic.subscriptions.at(subscriber);
  if (subscription.fresh || subscription.at < topic.version) {
    ready_.emplace(subscriber, name);
  } else {
    topic.idle.push_back(subscriber);
  }
}

void Publisher::unsubscribe(SubscriberId subscriber, const std::string& topic) {
  if (auto found = topics_.find(topic); found != topics_.end()) {
    drop(found->first, found->second, subscriber);
  }
}

void Publisher::remove(SubscriberId subscriber) {
  for (auto& [name, topic] : topics_) {
    drop(name, topic, subscriber);
  }
}

void Publisher::drop(const std::string& name, Topic& topic, SubscriberId subscriber) {
  if (topic.subscriptions.erase(subscriber) == 0) {
    return;
  }
  ready_.erase({subscriber, name});
  std::erase(topic.idle, subscriber);
  auto count = subscribers_.find(subscriber);
  if (--count->second == 0) {
    subscribers_.erase(count);
  }
}

std::optional<std::pair<Publisher::SubscriberId, TopicMessage>> Publisher::next() {
  if (ready_.empty()) {
    return std::nullopt;
  }
  auto turn = ready_.upper_bound(last_);
  if (turn == ready_.end()) {
    turn = ready_.begin();
  }
  last_ = *turn;
  ready_.erase(turn);
  Topic& topic = topics_.find(last_.second)->second;
  return std::pair(last_.first, message_for(last_.second, topic, topic.subscriptions.at(last_.first)));
}

TopicMessage Publisher::message_for(const std::string& name, const Topic& topic, Subscription& subscription) const {
  TopicMessage message;
  message.topic = name;
  // Had it begun after the keys were erased, it would not have them.
  if (subscription.at < topic.forgotten && subscription.snapshot_until < topic.forgotten) {
    subscription.fresh = true;
  }
  if (subscription.fresh) {
    message.snapshot = true;
    subscription.fresh = false;
    subscription.at = 0;
    subscription.snapshot_until = topic.version;
  }
  uint64_t sent = topic.version;
  size_t bytes = 0;
  for (auto at = topic.order.upper_bound(subscription.at); at != topic.order.end(); ++at) {
    const std::optional<std::string>& value = topic.values.find(*at->second)->second.value;
    if (!value && at->first <= subscription.snapshot_until) {
      continue;
    }
    size_t more = at->second->size() + (value ? value->size() : 0);
    if (!message.changes.empty() && bytes + more > options_.message_bytes) {
      sent = at->first - 1;
      break;
    }
    bytes += more;
    message.changes.push_back({*at->second, value});
  }
  message.complete = sent == topic.version;
  message.version = {epoch_, sent};
  subscription.sent = sent;
  subscription.under_way = true;
  return message;
}

void Publisher::acknowledge(SubscriberId subscriber, const std::string& topic, const TopicVersion& version) {
  auto found = topics_.find(topic);
  if (found == topics_.end()) {
    return;
  }
  auto at = found->second.subscriptions.find(subscriber);
  if (at == found->second.subscriptions.end() || !at->second.under_way ||
      version != TopicVersion{epoch_, at->second.sent}) {
    return;
  }
  at->second.under_way = false;
  at->second.at = at->second.sent;
  make_ready(found->first, found->second, subscriber);
}

TopicVersion Publisher::version(const std::string& topic) const { return {epoch_, topics_.at(topic).version}; }

}  // namespace sabir::control
