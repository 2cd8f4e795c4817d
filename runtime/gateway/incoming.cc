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
  uint64_t stored_bytes = 0;                  // of what it names
  Admission::Priority priority = Admission::Priority::kWaited;
  bool admitted = false;
  std::atomic<size_t> missing{1};  // one for read() itself
  int64_t wait_ns = 0;             // for room in the store, once all is there: a slice
  int64_t waited_ns = 0;
  std::optional<Error> error;  // under lock_
};

struct Incoming::Pull {
  rpc::ObjectId id;
  uint64_t transfer = 0;       // 0: not yet; under lock_
  std::vector<uint8_t> bytes;  // without its references
  std::vector<std::shared_ptr<Batch>> batches;
};

namespace {

// Adds what is stored in it; the peer says how much that is. False: nothing is.
bool add_stored(const rpc::WireValue& value, uint64_t& size_bytes) {
  bool any = value.stored.has_value();
  uint64_t own = any && !value.stored->is_yours ? value.stored->size_bytes : 0;
  size_bytes = own > UINT64_MAX - size_bytes ? UINT64_MAX : size_bytes + own;
  for (const rpc::WireRef& ref : value.refs) {
    any = (ref.value && add_stored(*ref.value, size_bytes)) || any;
  }
  return any;
}

}  // namespace

Incoming::~Incoming() {
  stop();
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
  copies_.stop(this);
  // What waits calls its owner. Its end must not take as long as the peer likes: the peer's thread may wait for this
  // one.
  std::unique_lock held(lock_);
  while (!ended_.wait_for(held, kCancelAgain, [this] { return batches_ == 0; })) {
    std::vector<uint64_t> transfers;
    for (const auto& [id, pull] : pulls_) {
      transfers.push_back(pull->transfer);
    }
    held.unlock();
    copies_.stop(this);
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
  return batches_ != 0 || !opening_.empty();
}

void Incoming::read(std::vector<rpc::WireValue> values, MentionsPtr mentions, Admission::Priority priority, Done done) {
  auto batch = std::make_shared<Batch>();
  batch->values = std::move(values);
  batch->mentions = std::move(mentions);
  batch->done = std::move(done);
  batch->priority = priority;
  {
    std::lock_guard guard(lock_);
    ++batches_;
  }
  bool any_stored = false;
  for (const rpc::WireValue& value : batch->values) {
    promise_refs(value, *batch);  // now: the message that keeps the promise may be the next one
    any_stored = add_stored(value, batch->stored_bytes) || any_stored;
  }
  if (!any_stored) {
    complete(batch);
    return;
  }
  copies_.enter_store(client_, this, batch->stored_bytes, priority,
                      [self = shared_from_this(), batch](bool admitted) { self->need_all(batch, admitted); });
}

void Incoming::need_all(const std::shared_ptr<Batch>& batch, bool admitted) {
  batch->admitted = admitted;
  if (admitted) {
    for (const rpc::WireValue& value : batch->values) {
      need(value, batch, true);
    }
  } else {
    std::lock_guard guard(lock_);
    batch->error = disconnected_error("the link to the other node ends");
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

void Incoming::need(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch, bool is_whole) {
  for (const rpc::WireRef& ref : value.refs) {
    if (ref.value) {
      need(*ref.value, batch, false);
    }
  }
  if (!value.stored) {
    return;
  }
  ++batch->missing;
  if (value.stored->is_yours) {
    take_own(value, batch, is_whole && value.refs.empty());
  } else if (value.stored->size_bytes > client_.core().self.node().header().store_bytes) {
    {
      std::lock_guard guard(lock_);
      batch->error = invalid_error("an object of another node that is larger than this node's store");
    }
    complete(batch);
  } else if (value.refs.empty()) {
    fetch(value, batch);
  } else {
    pull(value, batch);
  }
}

void Incoming::take_own(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch, bool is_argument) {
  Result<Future*> own = invalid_error("an object that the other node took for one of this node");
  bool may_be = is_argument && batch->priority == Admission::Priority::kArguments;
  if (std::optional<NamedObjects::Object> object = may_be ? named_.find(value.stored->id) : std::nullopt) {
    if (object->future->kind == client::FutureKind::kObject) {
      own = client_.adopt(object->future);
    }
    client::release(object->future);
  }
  bool is_new = false;
  {
    std::lock_guard guard(lock_);
    if (own.ok()) {
      is_new = batch->objects.try_emplace(value.stored->id, *own).second;
    } else {
      batch->error = batch->error ? batch->error : own.error();
    }
  }
  if (own.ok() && !is_new) {
    client::release(*own);
  }
  complete(batch);
}

void Incoming::fetch(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch) {
  Copies::Wanted wanted;
  wanted.id = value.stored->id;
  wanted.size_bytes = value.stored->size_bytes;
  wanted.header = {.encoding = value.encoding, .language = value.language, .variant = value.variant};
  wanted.header.flags = value.is_error ? client::kValueIsError : 0;
  wanted.client = &client_;
  wanted.namer = link_.share();
  wanted.owner = this;
  copies_.fetch(wanted, [self = shared_from_this(), batch, id = wanted.id](const Result<Future*>& object) {
    bool is_new = false;
    {
      std::lock_guard guard(self->lock_);
      if (object.ok()) {
        is_new = batch->objects.try_emplace(id, *object).second;  // named twice in one batch it is one
      } else {
        batch->error = batch->error ? batch->error : object.error();
      }
    }
    if (object.ok() && !is_new) {
      client::release(*object);
    }
    self->complete(batch);
  });
}

void Incoming::pull(const rpc::WireValue& value, const std::shared_ptr<Batch>& batch) {
  PullPtr pull;
  {
    std::lock_guard guard(lock_);
    auto [place, added] = pulls_.try_emplace(value.stored->id);
    if (!added) {
      place->second->batches.push_back(batch);
      return;
    }
    pull = place->second = std::make_shared<Pull>();
    pull->id = value.stored->id;
    pull->bytes.resize(value.stored->size_bytes);
    pull->batches.push_back(batch);
  }
  uint64_t number = link_.receive(
      pull->bytes, [self = shared_from_this(), pull](const Result<void>& result) { self->arrived(pull, result); });
  {
    std::lock_guard guard(lock_);
    pull->transfer = number;
  }
  link_.post(rpc::PullMessage{pull->id, number, 0, pull->bytes.size()});
}

void Incoming::arrived(const PullPtr& pull, const Result<void>& result) {
  std::vector<std::shared_ptr<Batch>> batches;
  {
    std::lock_guard guard(lock_);
    pulls_.erase(pull->id);
    batches = std::move(pull->batches);
    for (const std::shared_ptr<Batch>& batch : batches) {
      if (result.ok()) {
        batch->raw.emplace(pull->id, pull);  // make() puts it together, with its references
      } else if (!batch->error) {
        bool by_stop = stop_ && result.error().kind() == ErrorKind::kCancelled;
        batch->error = by_stop ? disconnected_error("the link to the other node ends") : result.error();
      }
    }
  }
  for (const std::shared_ptr<Batch>& batch : batches) {
    complete(batch);
  }
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
    copies_.collect();
    task(stopped);
    held.lock();
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
  if (batch->admitted) {
    copies_.leave_store(batch->stored_bytes, batch->priority);
  }
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
  read(std::move(values), std::move(mentions), Admission::Priority::kWaited, std::move(keep));
}

bool Incoming::has_promise(rpc::ObjectId id) {
  std::lock_guard guard(lock_);
  return promises_.contains(id);
}

void Incoming::sweep() {
  release_opened();
  client::QueuedEvent event;
  while (client_.notice_queue()->take(&event, 1) != 0) {
    delete event.buffer;
    if (event.kind == SABIR_EVENT_COLLECT) {
      copies_.collect();
    }
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
