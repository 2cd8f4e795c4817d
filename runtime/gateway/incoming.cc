#include "runtime/gateway/incoming.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <string_view>

#include "runtime/client/objects.h"
#include "runtime/client/refs.h"

namespace sabir::gateway {

using client::Future;

namespace {

constexpr int64_t kRoomTimeoutNs = 60 * kSecondNs;
// It is waited for in slices, in turns: stop() waits for one of them, and with it all that comes from the peer.
constexpr int64_t kRoomSliceNs = kSecondNs;
constexpr auto kCancelAgain = std::chrono::milliseconds(20);

}  // namespace

// Values that become references together.
struct Incoming::Batch {
  std::vector<rpc::WireValue> values;
  Done done;
  std::map<rpc::ObjectId, Future*> objects;   // pulled, a count on each; under lock_
  std::map<rpc::ObjectId, PullPtr> raw;       // pulled, and not yet values: those with references in them
  std::map<rpc::ObjectId, Future*> promises;  // a count on each: one may be kept while the batch waits for a pull
  MentionsPtr mentions;                       // until all is made
  std::atomic<size_t> missing{1};             // one for read() itself
  int64_t wait_ns = 0;                        // for room in the store, once all is there: a slice
  int64_t waited_ns = 0;
  std::optional<Error> error;  // under lock_
};

struct Incoming::Pull {
  rpc::ObjectId id;
  uint64_t size_bytes = 0;
  client::ValueHeader header;
  bool has_refs = false;
  uint64_t transfer = 0;                     // 0: not yet; under lock_
  int64_t waited_ns = 0;                     // for room in the store
  std::unique_ptr<client::Builder> builder;  // the object, as it is being written
  std::vector<uint8_t> bytes;                // ... or, of one with references in it, its bytes
  std::vector<std::shared_ptr<Batch>> batches;
};

Incoming::~Incoming() {
  stop();
  collect();
  for (auto& [id, promise] : promises_) {
    client::release(promise);
  }
  for (auto& [handle, mentions] : opening_) {
    client::release(handle);
  }
}

void Incoming::stop() {
  {
    std::lock_guard guard(lock_);
    stop_ = true;
    waiting_changed_.notify_all();
  }
  if (room_thread_.joinable()) {
    room_thread_.join();
  }
  // What is still being written to belongs to the client, and what waits for it calls its owner.
  // Its end must not take as long as the peer likes: the peer's thread may wait for this one.
  std::unique_lock held(lock_);
  while (!ended_.wait_for(held, kCancelAgain, [this] { return batches_ == 0; })) {
    std::vector<uint64_t> transfers;
    for (const auto& [id, pull] : pulls_) {
      transfers.push_back(pull->transfer);
    }
    held.unlock();
    for (uint64_t transfer : transfers) {
      link_.cancel_receive(transfer);
    }
    held.lock();
  }
}

bool Incoming::is_needed() {
  std::lock_guard guard(lock_);
  return batches_ != 0 || !promises_.empty() || !opening_.empty();
}

bool Incoming::has_to_sweep() {
  std::lock_guard guard(lock_);
  return batches_ != 0 || !kept_.empty() || !opening_.empty();
}

void Incoming::read(std::vector<rpc::WireValue> values, MentionsPtr mentions, Done done) {
  auto batch = std::make_shared<Batch>();
  batch->values = std::move(values);
  batch->mentions = std::move(mentions);
  batch->done = std::move(done);
  {
    std::lock_guard guard(lock_);
    ++batches_;
  }
  for (const rpc::WireValue& value : batch->values) {
    promise_refs(value, *batch);  // now: the message that keeps the promise may be the next one
  }
  for (const rpc::WireValue& value : batch->values) {
    need(value, batch);
  }
  complete(batch);
}

void Incoming::promise_refs(const rpc::WireValue& value, Batch& batch) {
  for (const rpc::WireRef& ref : value.refs) {
    if (ref.value) {
      promise_refs(*ref.value, batch);
      continue;
    }
    if (ref.actor) {
      continue;
    }
    std::lock_guard guard(lock_);
    Future*& promise = promises_[ref.id];
    if (promise == nullptr) {
      promise = relay_.promise(ref.id.uid, ref.id.sequence);
    }
    if (batch.promises.try_emplace(ref.id, promise).second) {
      client::retain(promise);
    }
  }
}

void Incoming::need(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch) {
  for (const rpc::WireRef& ref : value.refs) {
    if (ref.value) {
      need(*ref.value, batch);
    }
  }
  if (!value.stored) {
    return;
  }
  PullPtr pull;
  {
    std::lock_guard guard(lock_);
    if (batch->objects.contains(value.stored->id)) {
      return;
    }
    auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) { return one.id == value.stored->id; });
    if (kept != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, kept);
      kept->used_ns = client_.core().self.clock().now_ns();
      batch->objects.emplace(kept->id, client::retain(kept->object));
      return;
    }
    ++batch->missing;
    auto [place, added] = pulls_.try_emplace(value.stored->id);
    if (!added) {
      place->second->batches.push_back(batch);
      return;
    }
    pull = place->second = std::make_shared<Pull>();
    pull->id = value.stored->id;
    pull->size_bytes = value.stored->size_bytes;
    pull->header = {.encoding = value.encoding, .language = value.language, .variant = value.variant};
    pull->header.flags = value.is_error ? client::kValueIsError : 0;
    pull->has_refs = !value.refs.empty();
    pull->batches.push_back(batch);
  }
  if (pull->size_bytes > client_.core().self.node().header().store_bytes) {
    settle(pull, invalid_error("an object of another node that is larger than this node's store"));
    return;
  }
  begin(pull, 0);
}

void Incoming::begin(const PullPtr& pull, int64_t wait_ns) {
  if (pull->has_refs) {
    pull->bytes.resize(pull->size_bytes);
    transfer(pull, pull->bytes.data());
    return;
  }
  void* destination = nullptr;
  auto builder = client_.core().objects->build(pull->header, pull->size_bytes, wait_ns, &destination);
  if (builder.ok()) {
    pull->builder = *std::move(builder);
    transfer(pull, destination);
    return;
  }
  pull->waited_ns += wait_ns;
  if (pull->waited_ns >= kRoomTimeoutNs || builder.error().kind() != ErrorKind::kStoreFull) {
    settle(pull, std::move(builder).error());
    return;
  }
  wait_for_room([this, pull](bool stopped) {
    if (stopped) {
      settle(pull, disconnected_error("the link to the other node ends"));
    } else {
      begin(pull, kRoomSliceNs);
    }
  });
}

// What makes room may be behind this message, or behind this transfer: their threads must not wait.
void Incoming::wait_for_room(std::function<void(bool stopped)> task) {
  {
    std::lock_guard guard(lock_);
    if (!stop_) {
      waiting_.push_back(std::move(task));
      if (!room_thread_.joinable()) {
        room_thread_ = std::thread([this] { work_for_room(); });
      }
      waiting_changed_.notify_one();
      return;
    }
  }
  task(true);
}

void Incoming::work_for_room() {
  std::unique_lock held(lock_);
  for (;;) {
    waiting_changed_.wait(held, [&] { return stop_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    std::function<void(bool)> task = std::move(waiting_.front());
    waiting_.pop_front();
    bool stopped = stop_;
    held.unlock();
    collect();
    task(stopped);
    held.lock();
  }
}

void Incoming::transfer(const PullPtr& pull, void* destination) {
  uint64_t number =
      link_.receive({static_cast<uint8_t*>(destination), pull->size_bytes},
                    [self = shared_from_this(), pull](Result<void> result) { self->arrived(pull, std::move(result)); });
  {
    std::lock_guard guard(lock_);
    pull->transfer = number;
  }
  link_.post(rpc::PullMessage{pull->id, number});
}

void Incoming::arrived(const PullPtr& pull, Result<void> result) {
  if (!result.ok()) {
    if (pull->builder) {
      client_.core().objects->abandon(std::move(pull->builder));
    }
    bool by_stop = false;
    {
      std::lock_guard guard(lock_);
      by_stop = stop_ && result.error().kind() == ErrorKind::kCancelled;
    }
    settle(pull, by_stop ? disconnected_error("the link to the other node ends") : std::move(result).error());
    return;
  }
  if (pull->builder) {
    Result<Future*> sealed = client_.core().objects->seal(std::move(pull->builder));
    settle(pull, std::move(sealed));
    return;
  }
  settle(pull, static_cast<Future*>(nullptr));  // make() puts it together, with its references
}

void Incoming::settle(const PullPtr& pull, Result<Future*> object) {
  if (object.ok() && *object != nullptr) {
    relay_.rename(*object, pull->id.uid, pull->id.sequence);
  }
  std::vector<std::shared_ptr<Batch>> batches;
  std::vector<Future*> dropped;
  {
    std::lock_guard guard(lock_);
    pulls_.erase(pull->id);
    batches = std::move(pull->batches);
    for (const std::shared_ptr<Batch>& batch : batches) {
      if (!object.ok()) {
        batch->error = batch->error ? batch->error : object.error();
      } else if (*object != nullptr) {
        if (batch->objects.try_emplace(pull->id, *object).second) {  // named twice in one batch it is one
          client::retain(*object);
        }
      } else {
        batch->raw.emplace(pull->id, pull);
      }
    }
    if (object.ok() && *object != nullptr) {
      kept_.push_front({pull->id, *object, pull->size_bytes, client_.core().self.clock().now_ns()});
      kept_bytes_ += pull->size_bytes;
      while (kept_.size() > kMaxKept || (kept_bytes_ > kMaxKeptBytes && kept_.size() > 1)) {
        kept_bytes_ -= kept_.back().size_bytes;
        dropped.push_back(kept_.back().object);
        kept_.pop_back();
      }
    }
  }
  for (Future* future : dropped) {
    client::release(future);
  }
  for (const std::shared_ptr<Batch>& batch : batches) {
    complete(batch);
  }
}

void Incoming::complete(const std::shared_ptr<Batch>& batch) {
  if (batch->missing.fetch_sub(1) != 1) {
    return;
  }
  finish(batch);
}

void Incoming::finish(const std::shared_ptr<Batch>& batch) {
  Result<std::vector<Future*>> made = batch->error ? Result<std::vector<Future*>>(*batch->error) : make_all(*batch);
  batch->waited_ns += batch->wait_ns;
  bool is_full = !made.ok() && made.error().kind() == ErrorKind::kStoreFull && !batch->error;
  if (is_full && batch->waited_ns < kRoomTimeoutNs) {
    wait_for_room([this, batch](bool stopped) {
      batch->wait_ns = kRoomSliceNs;
      if (stopped) {
        batch->error = disconnected_error("the link to the other node ends");
      }
      finish(batch);
    });
    return;
  }
  for (auto& [id, object] : batch->objects) {
    client::release(object);
  }
  for (auto& [id, promise] : batch->promises) {
    client::release(promise);
  }
  batch->mentions.reset();
  batch->done(std::move(made));
  std::lock_guard guard(lock_);
  --batches_;
  ended_.notify_all();
}

Result<std::vector<Future*>> Incoming::make_all(const Batch& batch) {
  std::vector<Future*> all;
  for (const rpc::WireValue& value : batch.values) {
    Result<Future*> one = make(value, batch);
    if (!one.ok()) {
      for (Future* future : all) {
        client::release(future);
      }
      return std::move(one).error();
    }
    all.push_back(*one);
  }
  return all;
}

Result<Future*> Incoming::make(const rpc::WireValue& value, const Batch& batch) {
  std::vector<Future*> refs;
  auto let_go = [&] {
    for (Future* ref : refs) {
      client::release(ref);
    }
  };
  if (value.stored) {
    if (auto found = batch.objects.find(value.stored->id); found != batch.objects.end()) {
      return client::retain(found->second);
    }
  }
  for (const rpc::WireRef& ref : value.refs) {
    Result<Future*> made = make_ref(ref, batch);
    if (!made.ok()) {
      let_go();
      return made;
    }
    refs.push_back(*made);
  }
  client::ValueHeader header{.encoding = value.encoding, .language = value.language, .variant = value.variant};
  header.flags = value.is_error ? client::kValueIsError : 0;
  std::string_view bytes = value.bytes;
  if (value.stored) {
    const std::vector<uint8_t>& raw = batch.raw.at(value.stored->id)->bytes;
    bytes = {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  Result<Future*> made = relay_.make_value(header, refs, bytes, batch.wait_ns);
  let_go();
  if (made.ok() && value.stored) {
    relay_.rename(*made, value.stored->id.uid, value.stored->id.sequence);
  }
  return made;
}

Result<Future*> Incoming::make_ref(const rpc::WireRef& ref, const Batch& batch) {
  if (ref.value) {
    SABIR_ASSIGN_OR_RETURN(Future * made, make(*ref.value, batch));
    relay_.rename(made, ref.id.uid, ref.id.sequence);
    return made;
  }
  return ref.actor ? make_handle(ref, batch) : client::retain(batch.promises.at(ref.id));
}

Result<Future*> Incoming::make_handle(const rpc::WireRef& ref, const Batch& batch) {
  rpc::ActorSpec spec;
  spec.name = ref.actor->name;
  spec.class_name = ref.actor->class_name;
  spec.class_info = ref.actor->class_info;
  spec.language = ref.actor->language;
  spec.max_task_retries = ref.actor->max_task_retries;
  spec.origin = {rpc::ActorRole::kImported, actor_id_of(ref.id), ref.actor->home.id, ref.actor->home.incarnation};
  SABIR_ASSIGN_OR_RETURN(Future * handle, client_.open_actor(spec));
  std::lock_guard guard(lock_);
  opening_.emplace_back(client::retain(handle), batch.mentions);
  return handle;
}

void Incoming::release_opened() {
  std::vector<std::pair<Future*, MentionsPtr>> open;
  {
    std::lock_guard guard(lock_);
    auto end = std::stable_partition(opening_.begin(), opening_.end(), [&](const auto& one) {
      shm::ActorState state = client_.actor_word(one.first).state;
      return state != shm::ActorState::kAlive && state != shm::ActorState::kDead;
    });
    open.assign(end, opening_.end());
    opening_.erase(end, opening_.end());
  }
  for (auto& [handle, mentions] : open) {
    client::release(handle);
  }
}

void Incoming::resolve(rpc::ObjectId id, rpc::WireValue value, MentionsPtr mentions) {
  std::vector<rpc::WireValue> values;
  values.push_back(std::move(value));
  auto keep = [self = shared_from_this(), id](Result<std::vector<Future*>> made) {
    Future* promise = nullptr;
    {
      std::lock_guard guard(self->lock_);
      auto found = self->promises_.find(id);
      if (found != self->promises_.end()) {
        promise = found->second;
        self->promises_.erase(found);
      }
    }
    if (promise == nullptr) {
      if (made.ok()) {
        client::release(made->front());
      }
      return;
    }
    if (made.ok()) {
      self->relay_.fulfil(promise, made->front());
    } else {
      self->relay_.break_promise(promise, made.error().kind(), made.error().message());
    }
    client::release(promise);
  };
  read(std::move(values), std::move(mentions), std::move(keep));
}

bool Incoming::has_promise(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  return promises_.contains(id);
}

void Incoming::collect() {
  std::list<Kept> kept;
  {
    std::lock_guard guard(lock_);
    kept.swap(kept_);
    kept_bytes_ = 0;
  }
  for (Kept& one : kept) {
    client::release(one.object);
  }
}

void Incoming::sweep() {
  release_opened();
  client::QueuedEvent event;
  while (client_.notice_queue()->take(&event, 1) != 0) {
    delete event.buffer;
    if (event.kind == SABIR_EVENT_COLLECT) {
      collect();
    }
  }
  int64_t now = client_.core().self.clock().now_ns();
  std::vector<Future*> old;
  {
    std::lock_guard guard(lock_);
    while (!kept_.empty() && now - kept_.back().used_ns > kKeptNs) {
      kept_bytes_ -= kept_.back().size_bytes;
      old.push_back(kept_.back().object);
      kept_.pop_back();
    }
  }
  for (Future* object : old) {
    client::release(object);
  }
}

void Incoming::peer_lost(const std::string& why) {
  std::map<rpc::ObjectId, Future*> broken;
  {
    std::lock_guard guard(lock_);
    broken.swap(promises_);
  }
  for (auto& [id, promise] : broken) {
    relay_.break_promise(promise, ErrorKind::kObjectLost, why);
    client::release(promise);
  }
}

}  // namespace sabir::gateway
