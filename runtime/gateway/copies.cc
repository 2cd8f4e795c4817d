#include "runtime/gateway/copies.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "runtime/client/relay.h"

namespace sabir::gateway {

using client::Future;

namespace {

constexpr auto kCancelAgain = std::chrono::milliseconds(20);

}  // namespace

Copies::~Copies() {
  room_.stop();
  begin_.stop();
  Actions then;
  {
    std::lock_guard guard(lock_);
    while (!copies_.empty()) {
      forget(copies_.begin()->second, then);
    }
  }
  run(then);
}

void Copies::run(const Actions& then) {
  for (const std::function<void()>& action : then) {
    action();
  }
}

void Copies::fetch(const Wanted& wanted, Done done) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    Key key{wanted.id, wanted.client->core().self.welcome().job_id};
    CopyPtr& copy = copies_[key];
    bool is_new = copy == nullptr;
    if (is_new) {
      copy = std::make_shared<Copy>();
      copy->key = key;
      copy->size_bytes = wanted.size_bytes;
      copy->header = wanted.header;
    }
    if (copy->size_bytes != wanted.size_bytes) {
      then.emplace_back([done] { done(invalid_error("an object of another node has two sizes")); });
    } else if (copy->stage == Stage::kHere) {
      copy->used_ns = clock_.now_ns();
      then.emplace_back([done, object = for_client(*copy, *wanted.client)] { done(object); });
    } else {
      if (copy->waiters.empty()) {
        copy->waited_ns = 0;  // what others have waited for the same is not its own
      }
      copy->waiters.push_back({wanted.owner, wanted.client, wanted.namer, std::move(done)});
      if (is_new) {
        begin(copy, then);
      }
    }
  }
  run(then);
}

void Copies::drop_waiters(Copy& copy, const std::function<bool(const Waiter&)>& which, const Error& why,
                          Actions& then) {
  auto end = std::stable_partition(copy.waiters.begin(), copy.waiters.end(),
                                   [&](const Waiter& waiter) { return !which(waiter); });
  for (auto waiter = end; waiter != copy.waiters.end(); ++waiter) {
    then.emplace_back([done = std::move(waiter->done), why] { done(why); });
  }
  copy.waiters.erase(end, copy.waiters.end());
}

void Copies::stop(const void* owner) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    if (admission_) {
      for (Admission::Begin& begin : admission_->remove(owner)) {
        then.emplace_back([begin = std::move(begin)] { begin(false); });
      }
    }
    for (auto& [key, copy] : copies_) {
      drop_waiters(
          *copy, [&](const Waiter& waiter) { return waiter.owner == owner; },
          disconnected_error("the link to the other node ends"), then);
      if (copy->waiters.empty() && copy->stage == Stage::kComing) {
        stop_coming(copy, then);
      }
    }
  }
  run(then);
}

void Copies::leave(const client::Client* client) {
  std::unique_lock held(lock_);
  Actions then;
  std::vector<std::weak_ptr<Landing>> abandoned;
  for (;;) {
    bool busy = false;
    // In the last pass too: what was being sealed has become the client's meanwhile.
    for (auto entry = copies_.begin(); entry != copies_.end();) {
      CopyPtr copy = (entry++)->second;
      auto holder = copy->holders.find(const_cast<client::Client*>(client));
      if (holder != copy->holders.end()) {
        then.emplace_back([object = holder->second] { client::release(object); });
        copy->holders.erase(holder);
        if (copy->holders.empty()) {
          forget(copy, then);
        }
      }
    }
    for (auto& [key, copy] : copies_) {
      if (copy->client != client) {
        continue;
      }
      busy = true;
      if (copy->stage == Stage::kComing) {
        stop_coming(copy, then);
      } else if (copy->stage == Stage::kStopping) {
        for (auto& [number, asked] : copy->asked) {
          then.emplace_back([link = asked.link, transfer = asked.transfer] { link->cancel_receive(transfer); });
        }
      }
    }
    if (!busy) {
      if (auto its = abandoned_.extract(client)) {
        abandoned = std::move(its.mapped());
      }
    }
    held.unlock();
    run(then);
    then.clear();
    if (!busy) {
      break;
    }
    held.lock();
    changed_.wait_for(held, kCancelAgain);
  }
  sends_.end(client);
  for (const std::weak_ptr<Landing>& one : abandoned) {
    if (std::shared_ptr<Landing> landing = one.lock()) {
      landing->abandon_now();
    }
  }
}

void Copies::lost(const PeerLink* link) {
  Actions then;
  {
    std::lock_guard guard(lock_);
    for (auto& [key, copy] : copies_) {
      std::erase_if(copy->told, [&](const LinkPtr& told) { return told.get() == link; });
      drop_namer(copy, link, disconnected_error("the connection to the other node is over"), then);
    }
  }
  run(then);
}

// --- Its way into the store

void Copies::begin(const CopyPtr& copy, Actions& then) {
  copy->stage = Stage::kRoom;
  copy->waited_ns = 0;
  copy->client = copy->waiters.front().client;
  copy->building = true;
  then.emplace_back([this, copy, client = copy->client] { build(copy, *client, 0); });
}

void Copies::build(const CopyPtr& copy, client::Client& client, int64_t wait_ns) {
  Result<std::shared_ptr<Landing>> landing = Landing::make(client, copy->header, copy->size_bytes, wait_ns);
  Actions then;
  {
    std::lock_guard guard(lock_);
    copy->building = false;
    if (landing.ok()) {
      copy->landing = *std::move(landing);
      copy->plan.emplace(copy->size_bytes);
      copy->sources.clear();
      copy->locates = 0;
      copy->stage = Stage::kComing;
      if (copy->waiters.empty()) {
        stop_coming(copy, then);
      } else {
        copy->namer = copy->waiters.front().namer;
        start(copy, then);
      }
    } else {
      copy->waited_ns += wait_ns;
      if (landing.error().kind() == ErrorKind::kStoreFull && copy->waited_ns < kRoomTimeoutNs) {
        copy->client = nullptr;
        // What makes room may be behind the message that wants this: its thread must not wait.
        room_.post([this, copy] { build_again(copy); });
      } else {
        drop_waiters(
            *copy, [](const Waiter&) { return true; }, landing.error(), then);
        stopped(copy, then);
      }
    }
    changed_.notify_all();
  }
  run(then);
}

void Copies::start(const CopyPtr& copy, Actions& then) {
  if (copy->size_bytes < kLocateFromBytes) {
    add_source(*copy, copy->namer);
    ask_more(copy, then);
  } else {
    locate(copy, then);
  }
}

void Copies::build_again(const CopyPtr& copy) {
  collect();
  Actions then;
  client::Client* client = nullptr;
  {
    std::lock_guard guard(lock_);
    if (copy->waiters.empty()) {
      stopped(copy, then);
    } else {
      client = copy->client = copy->waiters.front().client;
      copy->building = true;
    }
  }
  run(then);
  if (client != nullptr) {
    build(copy, *client, kRoomSliceNs);
  }
}

void Copies::stop_coming(const CopyPtr& copy, Actions& then) {
  copy->stage = Stage::kStopping;
  ++copy->life;
  copy->locating = false;
  copy->finding = 0;
  if (copy->asked.empty()) {
    stopped(copy, then);
    return;
  }
  for (auto& [number, asked] : copy->asked) {
    if (asked.transfer != 0) {
      then.emplace_back([link = asked.link, transfer = asked.transfer] { link->cancel_receive(transfer); });
    }
  }
}

// Nothing is written to it any more.
void Copies::stopped(const CopyPtr& copy, Actions& then) {
  copy->stage = Stage::kStopping;
  copy->plan.reset();
  copy->sources.clear();
  refuse_ranges(*copy, then);
  if (copy->landing) {
    std::vector<std::weak_ptr<Landing>>& its = abandoned_[copy->landing->client()];
    std::erase_if(its, [](const std::weak_ptr<Landing>& one) { return one.expired(); });
    its.push_back(copy->landing);
  }
  then.emplace_back([this, copy, landing = std::move(copy->landing)] {
    if (landing) {
      landing->abandon();
    }
    Actions next;
    {
      std::lock_guard guard(lock_);
      copy->client = nullptr;
      if (copy->waiters.empty()) {
        forget(copy, next);
      } else {
        begin(copy, next);
      }
      changed_.notify_all();
    }
    run(next);
  });
}

void Copies::seal(const CopyPtr& copy) {
  std::shared_ptr<Landing> landing;
  client::Client* client = nullptr;
  {
    std::lock_guard guard(lock_);
    landing = copy->landing;
    client = copy->client;
  }
  Result<Future*> object = landing->seal();
  if (object.ok()) {
    client::Relay(*client).rename(*object, copy->key.first.uid, copy->key.first.sequence);
  }
  Actions then;
  {
    std::lock_guard guard(lock_);
    if (object.ok()) {
      copy->stage = Stage::kHere;
      copy->client = nullptr;
      copy->landing.reset();
      copy->plan.reset();
      copy->sources.clear();
      copy->holders.emplace(client, *object);
      copy->used_ns = clock_.now_ns();
      for (Waiter& waiter : std::exchange(copy->waiters, {})) {
        then.emplace_back([done = std::move(waiter.done), its = for_client(*copy, *waiter.client)] { done(its); });
      }
      tell(*copy, rpc::CopyState::kHas, then);
      keep_few(then);
    } else {
      drop_waiters(
          *copy, [](const Waiter&) { return true; }, object.error(), then);
      stopped(copy, then);
    }
    changed_.notify_all();
  }
  run(then);
}

// References of one client are no good for another.
Result<Future*> Copies::for_client(Copy& copy, client::Client& client) {
  auto known = copy.holders.find(&client);
  if (known == copy.holders.end()) {
    SABIR_ASSIGN_OR_RETURN(Future * adopted, client.adopt(copy.holders.begin()->second));
    known = copy.holders.emplace(&client, adopted).first;
  }
  return client::retain(known->second);
}

// --- What is kept

void Copies::forget(const CopyPtr& copy, Actions& then) {
  for (auto& [client, object] : copy->holders) {
    then.emplace_back([object = object] { client::release(object); });
  }
  copy->holders.clear();
  tell(*copy, rpc::CopyState::kGone, then);
  copies_.erase(copy->key);
}

void Copies::tell(const Copy& copy, rpc::CopyState state, Actions& then) {
  for (const LinkPtr& link : copy.told) {
    then.emplace_back([link, id = copy.key.first, state] { link->post(rpc::CopyStateMessage{id, state, {}}); });
  }
}

void Copies::keep_few(Actions& then) {
  for (;;) {
    size_t count = 0;
    uint64_t bytes = 0;
    CopyPtr oldest;
    for (auto& [key, copy] : copies_) {
      if (copy->stage == Stage::kHere) {
        ++count;
        bytes += copy->size_bytes;
        oldest = oldest == nullptr || copy->used_ns < oldest->used_ns ? copy : oldest;
      }
    }
    if (count <= kMaxKept && (bytes <= kMaxKeptBytes || count <= 1)) {
      return;
    }
    forget(oldest, then);
  }
}

void Copies::collect() {
  Actions then;
  {
    std::lock_guard guard(lock_);
    for (auto entry = copies_.begin(); entry != copies_.end();) {
      CopyPtr copy = (entry++)->second;
      if (copy->stage == Stage::kHere) {
        forget(copy, then);
      }
    }
  }
  run(then);
}

void Copies::sweep() {
  Actions then;
  {
    std::lock_guard guard(lock_);
    int64_t before_ns = clock_.now_ns() - kKeptNs;
    for (auto entry = copies_.begin(); entry != copies_.end();) {
      CopyPtr copy = (entry++)->second;
      if (copy->stage == Stage::kHere && copy->used_ns < before_ns) {
        forget(copy, then);
      }
    }
  }
  run(then);
}

bool Copies::has_to_sweep() {
  std::lock_guard guard(lock_);
  return !copies_.empty();
}

// --- Room

void Copies::enter_store(const client::Client& client, const void* owner, uint64_t size_bytes,
                         Admission::Priority priority, std::function<void(bool)> begin) {
  {
    std::lock_guard guard(lock_);
    if (!admission_) {
      admission_.emplace(client.core().self.node().header().store_bytes / kStoreShare);
    }
    admission_->enter(owner, size_bytes, priority, std::move(begin));
  }
  take_turns();
}

void Copies::leave_store(uint64_t size_bytes, Admission::Priority priority) {
  std::lock_guard guard(lock_);
  admission_->leave(size_bytes, priority);
  if (admission_->is_waiting()) {
    begin_.post([this] { take_turns(); });  // it asks the node for room, and this may be a link's thread
  }
}

void Copies::take_turns() {
  std::vector<Admission::Begin> begun;
  {
    std::lock_guard guard(lock_);
    begun = admission_->take();
  }
  for (Admission::Begin& begin : begun) {
    begin(true);
  }
}

}  // namespace sabir::gateway
