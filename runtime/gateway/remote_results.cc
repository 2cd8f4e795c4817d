#include "runtime/gateway/remote_results.h"

#include <algorithm>

#include "runtime/client/elsewhere.h"
#include "runtime/gateway/wire_args.h"

namespace sabir::gateway {

using client::Future;

void KeptThere::add(rpc::ObjectId id, const MentionsPtr& mentions) {
  std::lock_guard guard(lock_);
  kept_.emplace(id, mentions);
}

void KeptThere::remove(rpc::ObjectId id, const MentionsPtr& mentions) {
  MentionsPtr last;  // says that it is released: not under the lock
  std::lock_guard guard(lock_);
  auto [begin, end] = kept_.equal_range(id);
  auto found = std::find_if(begin, end, [&](const auto& kept) { return kept.second == mentions; });
  if (found != end) {
    last = std::move(found->second);
    kept_.erase(found);
  }
}

MentionsPtr KeptThere::find(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  auto found = kept_.find(id);
  return found == kept_.end() ? nullptr : found->second;
}

RemoteResults::RemoteResults(client::Client& client, Incoming& incoming, KeptThere& there)
    : client_(client), relay_(client), incoming_(incoming), there_(there) {
  client_.core().elsewhere->set_handler([this](const rpc::ObjectChange& change) { changed(change); });
}

RemoteResults::~RemoteResults() {
  stop();
  // The node takes what is left for lost with this process.
  std::lock_guard guard(lock_);
  for (auto& [key, record] : records_) {
    there_.remove(record.value.stored->id, record.mentions);
  }
}

void RemoteResults::stop() { client_.core().elsewhere->set_handler(nullptr); }

bool RemoteResults::stays(const rpc::WireValue& value) {
  return value.stored && !value.stored->is_yours && value.stored->size_bytes >= kFromBytes && value.refs.empty() &&
         !value.is_error;
}

Result<Future*> RemoteResults::make(const rpc::WireValue& value, MentionsPtr mentions) {
  client::ValueHeader header{.encoding = value.encoding, .language = value.language, .variant = value.variant};
  const rpc::ObjectId& id = value.stored->id;
  SABIR_ASSIGN_OR_RETURN(Future * future, relay_.make_elsewhere(header, value.stored->size_bytes, id.uid, id.sequence));
  std::lock_guard guard(lock_);
  if (lost_) {
    client::release(future);
    return Error(ErrorKind::kObjectLost, "the other node is gone");
  }
  there_.add(id, mentions);
  Record& record = records_[key_of(client::Relay::entry_of(future))];
  record.value = rpc::copy_of(value);
  record.mentions = std::move(mentions);
  return future;
}

bool RemoteResults::take(Key key, Record& out) {
  std::lock_guard guard(lock_);
  auto found = records_.find(key);
  if (found == records_.end()) {
    return false;
  }
  out = std::move(found->second);
  records_.erase(found);
  there_.remove(out.value.stored->id, out.mentions);
  return true;
}

void RemoteResults::changed(const rpc::ObjectChange& change) {
  if (change.kind == rpc::ObjectChange::Kind::kWanted) {
    fetch(key_of(change.entry));
    return;
  }
  Record unheld;
  take(key_of(change.entry), unheld);
}

void RemoteResults::fetch(Key key) {
  std::vector<rpc::WireValue> values;
  MentionsPtr mentions;
  {
    std::lock_guard guard(lock_);
    auto found = records_.find(key);
    if (found == records_.end()) {
      return;
    }
    values.push_back(rpc::copy_of(found->second.value));
    mentions = found->second.mentions;
  }
  incoming_.read(std::move(values), std::move(mentions), Admission::Priority::kWaited,
                 [this, key](Result<std::vector<Future*>> made) { fetched(key, std::move(made)); });
}

bool RemoteResults::may_try_again(Key key, ErrorKind why) {
  std::lock_guard guard(lock_);
  auto found = records_.find(key);
  bool passes = why == ErrorKind::kStoreFull || why == ErrorKind::kTimeout;
  return passes && !lost_ && found != records_.end() && ++found->second.tries < kMaxTries;
}

void RemoteResults::fetched(Key key, Result<std::vector<Future*>> made) {
  if (!made.ok() && may_try_again(key, made.error().kind())) {
    fetch(key);
    return;
  }
  Record record;
  if (!take(key, record)) {
    if (made.ok()) {
      client::release(made->front());
    }
    return;
  }
  rpc::EntryKey entry{key.first, key.second};
  if (made.ok()) {
    relay_.deliver_elsewhere(entry, made->front());
  } else if (is_lost(made.error().kind())) {
    relay_.deliver_elsewhere(entry, nullptr);
  } else {
    std::string why = "its value is on another node, and could not be fetched: " + made.error().message();
    relay_.deliver_elsewhere(entry, relay_.make_error(made.error().kind(), why));
  }
}

void RemoteResults::peer_lost() {
  std::map<Key, Record> lost;
  {
    std::lock_guard guard(lock_);
    lost_ = true;
    lost.swap(records_);
  }
  for (auto& [key, record] : lost) {
    there_.remove(record.value.stored->id, record.mentions);
    relay_.deliver_elsewhere({key.first, key.second}, nullptr);
  }
}

bool RemoteResults::is_needed() {
  std::lock_guard guard(lock_);
  return !records_.empty();
}

}  // namespace sabir::gateway
