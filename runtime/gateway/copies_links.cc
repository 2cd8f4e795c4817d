// The half of Copies that speaks with other nodes.
#include <algorithm>
#include <utility>

#include "runtime/gateway/copies.h"

namespace sabir::gateway {

// --- Where to get it

void Copies::locate(const CopyPtr& copy, Actions& then) {
  if (copy->locates++ >= kMaxLocates) {
    add_source(*copy, copy->namer);
    ask_more(copy, then);
    return;
  }
  copy->locating = true;
  if (std::find(copy->told.begin(), copy->told.end(), copy->namer) == copy->told.end()) {
    copy->told.push_back(copy->namer);
  }
  then.emplace_back([link = copy->namer, id = copy->key.first] { link->post(rpc::LocateMessage{id}); });
}

void Copies::locate_if_alone(const CopyPtr& copy, Actions& then) {
  if (copy->stage == Stage::kComing && !copy->plan->has_source() && !copy->locating && copy->finding == 0) {
    locate(copy, then);
  }
}

void Copies::located(const PeerLink& from, const rpc::LocatedMessage& message) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    for (auto entry = copies_.lower_bound({message.id, {}});
         entry != copies_.end() && entry->first.first == message.id;) {
      CopyPtr copy = (entry++)->second;
      if (copy->stage != Stage::kComing || !copy->locating || copy->namer.get() != &from) {
        continue;
      }
      copy->locating = false;
      if (!message.self && message.others.empty()) {
        drop_namer(copy, &from, Error(ErrorKind::kObjectLost, "the other node has no such object"), then);
        continue;
      }
      if (message.self) {
        add_source(*copy, copy->namer);
      }
      for (size_t i = 0; i < std::min(kMaxSources, message.others.size()); ++i) {
        ++copy->finding;
        then.emplace_back([this, copy, life = copy->life, node = message.others[i]] {
          find_link_(node, [this, copy, life, node](const LinkPtr& link) { found(copy, life, node, link); });
        });
      }
      ask_more(copy, then);
    }
  }
  run(then);
}

void Copies::found(const CopyPtr& copy, uint64_t life, const rpc::NodeKeyBytes& node, const LinkPtr& link) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    if (copy->life != life || copy->stage != Stage::kComing) {
      return;
    }
    --copy->finding;
    if (link != nullptr) {
      add_source(*copy, link);
    } else {
      then.emplace_back([namer = copy->namer, id = copy->key.first, node] {
        namer->post(rpc::CopyStateMessage{id, rpc::CopyState::kFailed, node});
      });
    }
    locate_if_alone(copy, then);
    ask_more(copy, then);
  }
  run(then);
}

void Copies::add_source(Copy& copy, const LinkPtr& source) {
  copy.plan->add_source();
  copy.sources.push_back({source});
}

void Copies::drop_source(const CopyPtr& copy, const PeerLink* source, Actions& then) {
  bool dropped = false;
  for (size_t i = 0; i < copy->sources.size(); ++i) {
    if (copy->sources[i].link.get() == source && !copy->sources[i].dropped) {
      copy->sources[i].dropped = dropped = true;
      copy->plan->drop_source(i);
    }
  }
  // What it has been asked for may take long to fail, or never come.
  for (auto& [number, asked] : copy->asked) {
    if (dropped && asked.link.get() == source && asked.transfer != 0) {
      then.emplace_back([link = asked.link, transfer = asked.transfer] { link->cancel_receive(transfer); });
    }
  }
  if (dropped && source != copy->namer.get()) {
    then.emplace_back([namer = copy->namer, id = copy->key.first, node = source->peer()] {
      namer->post(rpc::CopyStateMessage{id, rpc::CopyState::kFailed, node});
    });
  }
  locate_if_alone(copy, then);
}

// Who was told of it by that node has lost it; those who know it from another one go on.
void Copies::drop_namer(const CopyPtr& copy, const PeerLink* namer, const Error& why, Actions& then) {
  drop_waiters(
      *copy, [&](const Waiter& waiter) { return waiter.namer.get() == namer; }, why, then);
  if (copy->stage != Stage::kComing) {
    return;
  }
  if (copy->waiters.empty()) {
    stop_coming(copy, then);
  } else if (copy->namer.get() == namer) {
    copy->namer = copy->waiters.front().namer;
    copy->locating = false;
    drop_source(copy, namer, then);
    ask_more(copy, then);
  }
}

// --- Chunks

void Copies::ask_more(const CopyPtr& copy, Actions& then) {
  while (copy->stage == Stage::kComing) {
    std::optional<ChunkPlan::Ask> next = copy->plan->next();
    if (!next) {
      return;
    }
    uint64_t number = ++copy->next_ask;
    LinkPtr link = copy->sources[next->source].link;
    std::span<uint8_t> destination = copy->landing->destination().subspan(next->offset, next->size_bytes);
    copy->asked.emplace(number, Asked{*next, link});
    then.emplace_back([this, copy, number, link, destination, offset = next->offset] {
      ask(copy, number, link, destination, offset);
    });
  }
}

void Copies::ask(const CopyPtr& copy, uint64_t number, const LinkPtr& link, std::span<uint8_t> destination,
                 uint64_t offset) {
  uint64_t transfer =
      link->receive(destination, [this, copy, number](const Result<void>& result) { arrived(copy, number, result); });
  bool stopping = false;
  {
    std::lock_guard guard(lock_);
    auto asked = copy->asked.find(number);
    if (asked != copy->asked.end()) {
      asked->second.transfer = transfer;
      // Its source may have failed since this was decided.
      stopping = copy->stage == Stage::kStopping || copy->sources[asked->second.ask.source].dropped;
    }
  }
  link->post(rpc::PullMessage{copy->key.first, transfer, offset, destination.size()});
  if (stopping) {
    link->cancel_receive(transfer);
  }
}

void Copies::arrived(const CopyPtr& copy, uint64_t number, const Result<void>& result) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    Asked asked = std::move(copy->asked.extract(number).mapped());
    if (copy->stage == Stage::kStopping) {
      if (copy->asked.empty()) {
        stopped(copy, then);
      }
    } else if (result.ok()) {
      copy->plan->arrived(asked.ask);
      serve_ranges(*copy);
      if (copy->plan->is_complete()) {
        copy->stage = Stage::kSealing;
        then.emplace_back([this, copy] { seal(copy); });
      }
    } else {
      copy->plan->failed(asked.ask);
      if (copy->sources[asked.ask.source].dropped) {
        locate_if_alone(copy, then);  // it was cancelled: that is nobody's failure
      } else if (asked.link == copy->namer) {
        drop_namer(copy, asked.link.get(), result.error(), then);
      } else {
        drop_source(copy, asked.link.get(), then);
      }
    }
    ask_more(copy, then);
  }
  run(then);
}

// --- For others

void Copies::serve(const LinkPtr& to, const rpc::PullMessage& message) {
  std::lock_guard guard(lock_);
  CopyPtr best;
  for (auto entry = copies_.lower_bound({message.id, {}}); entry != copies_.end() && entry->first.first == message.id;
       ++entry) {
    best = best == nullptr || entry->second->stage == Stage::kHere ? entry->second : best;
  }
  if (best == nullptr || best->stage == Stage::kStopping) {
    to->refuse(message.transfer, Error(ErrorKind::kObjectLost, "this node has no such object"));
  } else if (message.offset > best->size_bytes || message.size_bytes > best->size_bytes - message.offset) {
    to->refuse(message.transfer, invalid_error("there are not so many bytes in the object"));
  } else if (best->stage == Stage::kHere || (best->plan && best->plan->has(message.offset, message.size_bytes))) {
    send(*best, to, message);
  } else if (best->ranges.size() < kMaxRanges) {
    best->ranges.push_back({to, message});
  } else {
    to->refuse(message.transfer, exhausted_error("too many wait for the object here"));
  }
}

void Copies::serve_ranges(Copy& copy) {
  std::erase_if(copy.ranges, [&](const Range& range) {
    bool is_here = copy.plan->has(range.message.offset, range.message.size_bytes);
    if (is_here) {
      send(copy, range.to, range.message);
    }
    return is_here;
  });
}

void Copies::refuse_ranges(Copy& copy, Actions& then) {
  for (Range& range : std::exchange(copy.ranges, {})) {
    then.emplace_back([range = std::move(range)] {
      range.to->refuse(range.message.transfer, Error(ErrorKind::kObjectLost, "the object did not come here"));
    });
  }
}

void Copies::send(const Copy& copy, const LinkPtr& to, const rpc::PullMessage& message) {
  if (copy.stage != Stage::kHere) {
    copy.landing->begin_read();
    sends_.send(copy.landing->client(), to, message.transfer,
                copy.landing->bytes().subspan(message.offset, message.size_bytes),
                [landing = copy.landing] { landing->end_read(); });
    return;
  }
  auto [client, object] = *copy.holders.begin();
  sabir_view view = {};
  if (Result<void> seen = client->view(object, view); !seen.ok()) {
    to->refuse(message.transfer, seen.error());
    return;
  }
  client::retain(object);
  sends_.send(client, to, message.transfer,
              std::span(static_cast<const uint8_t*>(view.data), view.size).subspan(message.offset, message.size_bytes),
              [object = object] { client::release(object); });
}

}  // namespace sabir::gateway
