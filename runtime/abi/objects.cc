// sabir.h: values and references.
#include <cstring>

#include "runtime/abi/handles.h"

using namespace sabir;
using namespace sabir::abi;

sabir_status sabir_put(sabir_client* client, const sabir_value* value, int64_t timeout_ns, sabir_ref** out_ref,
                       sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  if (Result<void> checked = check_value(*value); !checked.ok()) [[unlikely]] {
    return fail(out_error, checked.error());
  }
  Result<Future*> made = self->core().objects->put(*value, timeout_ns);
  if (!made.ok()) [[unlikely]] {
    return fail(out_error, made.error());
  }
  *out_ref = ref_of(*made);
  return SABIR_OK;
}

sabir_status sabir_builder_create(sabir_client* client, sabir_encoding encoding, sabir_language language, size_t size,
                                  int64_t timeout_ns, sabir_builder** out_builder, void** out_data,
                                  sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  if (encoding > SABIR_NATIVE) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "a value of an unknown encoding");
  }
  void* data = nullptr;
  auto made = self->core().objects->build({.encoding = encoding, .language = language}, size, timeout_ns, &data);
  if (!made.ok()) {
    return fail(out_error, made.error());
  }
  *out_data = data;
  *out_builder = reinterpret_cast<sabir_builder*>((*std::move(made)).release());
  return SABIR_OK;
}

sabir_status sabir_builder_seal(sabir_builder* builder, sabir_ref** out_ref, sabir_error** out_error) {
  std::unique_ptr<client::Builder> owned(reinterpret_cast<client::Builder*>(builder));
  Client* self;
  if (sabir_status status = enter(owned->core->anchor, &self, out_error); status != SABIR_OK) {
    (void)owned.release();
    return status;
  }
  Result<Future*> sealed = self->core().objects->seal(std::move(owned));
  if (!sealed.ok()) {
    return fail(out_error, sealed.error());
  }
  *out_ref = ref_of(*sealed);
  return SABIR_OK;
}

void sabir_builder_destroy(sabir_builder* builder) {
  auto* given = reinterpret_cast<client::Builder*>(builder);
  if (given != nullptr && !given->core->forked()) {
    given->core->objects->abandon(std::unique_ptr<client::Builder>(given));
  }
}

sabir_status sabir_wait(sabir_client* client, sabir_ref* const* refs, size_t ref_count, size_t num_ready,
                        int64_t timeout_ns, sabir_waiter* waiter, uint8_t* ready, size_t* out_ready,
                        sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<size_t> found =
      self->wait({reinterpret_cast<Future* const*>(refs), ref_count}, num_ready, timeout_ns, waiter_of(waiter), ready);
  return give(std::move(found), out_ready, out_error);
}

sabir_status sabir_get(sabir_client* client, sabir_ref* const* refs, size_t ref_count, int64_t timeout_ns,
                       sabir_waiter* waiter, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  return finish(self->get({reinterpret_cast<Future* const*>(refs), ref_count}, timeout_ns, waiter_of(waiter)),
                out_error);
}

sabir_status sabir_ref_view(sabir_ref* ref, sabir_view* out_view, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(future_of(ref)->anchor, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  return finish(self->view(future_of(ref), *out_view), out_error);
}

int32_t sabir_ref_ready(sabir_ref* ref) {
  Future* future = future_of(ref);
  if (future->anchor->forked()) {
    return 0;
  }
  if (future->ready()) {
    return 1;
  }
  Client* self = future->anchor->client();
  return self != nullptr && self->is_ready(future) ? 1 : 0;
}

sabir_status sabir_ref_adopt(sabir_client* client, sabir_ref* ref, sabir_ref** out_ref, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  Result<Future*> adopted = self->adopt(future_of(ref));
  if (!adopted.ok()) {
    return fail(out_error, adopted.error());
  }
  *out_ref = ref_of(*adopted);
  return SABIR_OK;
}

sabir_status sabir_ref_watch(sabir_ref* ref, sabir_queue* queue, uint64_t tag, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(future_of(ref)->anchor, &self, out_error); status != SABIR_OK) {
    return status;
  }
  if (queue->kind != sabir_queue::Kind::kCompletions) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "references are watched by queues of sabir_queue_create");
  }
  if (future_of(ref)->kind == client::FutureKind::kActor) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "an actor handle has no value");
  }
  if (Result<void> open = self->check(); !open.ok()) {
    return fail(out_error, open.error());
  }
  self->watch(future_of(ref), queue->events, tag);
  return SABIR_OK;
}

void sabir_ref_id(const sabir_ref* ref, uint8_t out_id[16]) {
  const Future* future = future_of(ref);
  uint64_t own = future->anchor->uid();
  uint64_t id[2] = {future->extra != nullptr && future->extra->uid != 0 ? future->extra->uid : own, future->sequence};
  std::memcpy(out_id, id, sizeof(id));
}

int32_t sabir_ref_is_actor(const sabir_ref* ref) { return future_of(ref)->kind == client::FutureKind::kActor ? 1 : 0; }

sabir_ref* sabir_ref_retain(sabir_ref* ref) {
  if (!future_of(ref)->anchor->forked()) {
    retain(future_of(ref));
  }
  return ref;
}

void sabir_ref_release(sabir_ref* ref) {
  if (ref != nullptr && !future_of(ref)->anchor->forked()) {
    release(future_of(ref));
  }
}
