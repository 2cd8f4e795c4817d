// sabir.h: queues, waiters and what comes out of them.
#include <vector>

#include "runtime/abi/handles.h"
#include "runtime/client/execute.h"

using namespace sabir;
using namespace sabir::abi;

namespace {

// At most so many events are taken at once; a caller with more room calls again.
constexpr size_t kMostAtOnce = 256;

// The work queue: one call, or the node's wish that this worker leaves.
sabir_status next_work(Client* self, sabir_event* out_events, int64_t timeout_ns, sabir_waiter* waiter,
                       size_t* out_count, sabir_error** out_error) {
  Result<client::Work*> work = self->next_work(timeout_ns, waiter_of(waiter));
  if (!work.ok()) {
    return fail(out_error, work.error());
  }
  out_events[0] = {};
  out_events[0].kind = *work == nullptr ? SABIR_EVENT_EXIT : SABIR_EVENT_WORK;
  out_events[0].work = reinterpret_cast<sabir_work*>(*work);
  *out_count = 1;
  return SABIR_OK;
}

}  // namespace

sabir_status sabir_queue_create(sabir_client* client, sabir_queue** out_queue, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(client, &self, out_error); status != SABIR_OK) {
    return status;
  }
  auto events = client::EventQueue::create();
  if (!events.ok()) {
    return fail(out_error, events.error());
  }
  *out_queue = new sabir_queue{sabir_queue::Kind::kCompletions, self->core().anchor, *std::move(events)};
  return SABIR_OK;
}

int sabir_queue_fd(sabir_queue* queue) { return queue->events ? queue->events->fd() : -1; }

sabir_status sabir_queue_next(sabir_queue* queue, sabir_event* out_events, size_t capacity, int64_t timeout_ns,
                              sabir_waiter* waiter, size_t* out_count, sabir_error** out_error) {
  Client* self;
  if (sabir_status status = enter(queue->anchor, &self, out_error); status != SABIR_OK) [[unlikely]] {
    return status;
  }
  if (capacity == 0) {
    return fail(out_error, SABIR_INVALID_ARGUMENT, "no room for an event");
  }
  if (queue->kind == sabir_queue::Kind::kWork) {
    return next_work(self, out_events, timeout_ns, waiter, out_count, out_error);
  }
  client::QueuedEvent taken[kMostAtOnce];
  size_t room = capacity < kMostAtOnce ? capacity : kMostAtOnce;
  Result<size_t> count = self->next_events(*queue->events, {taken, room}, timeout_ns, waiter_of(waiter));
  if (!count.ok()) {
    return fail(out_error, count.error());
  }
  for (size_t i = 0; i < *count; ++i) {
    out_events[i] = {};
    out_events[i].kind = taken[i].kind;
    out_events[i].tag = taken[i].tag;
    if (taken[i].buffer != nullptr) {
      out_events[i].buffer = new sabir_buffer{std::move(*taken[i].buffer)};
      delete taken[i].buffer;
    }
  }
  *out_count = *count;
  return SABIR_OK;
}

void sabir_queue_destroy(sabir_queue* queue) {
  if (queue == nullptr || queue->kind != sabir_queue::Kind::kCompletions || queue->anchor->forked()) {
    return;
  }
  delete queue;
}

sabir_status sabir_waiter_create(sabir_waiter** out_waiter, sabir_error**) {
  *out_waiter = new sabir_waiter;
  return SABIR_OK;
}

void sabir_waiter_interrupt(sabir_waiter* waiter) { waiter->waiter.interrupt(); }

void sabir_waiter_destroy(sabir_waiter* waiter) { delete waiter; }

void sabir_waiter_begin_slices(sabir_waiter* waiter) { waiter->waiter.begin_slices(); }

void sabir_waiter_end_slices(sabir_client* client, sabir_waiter* waiter) {
  Client* self;
  if (enter(client, &self, nullptr) == SABIR_OK) {
    self->end_slices(waiter->waiter);
  }
}

sabir_status sabir_log_read(const sabir_buffer* buffer, sabir_log_view* out_view, sabir_error** out_error) {
  const rpc::LogLines& lines = buffer->buffer.lines;
  sabir_log_view log = SABIR_LOG_VIEW_INIT;
  log.task_name = lend(lines.task_name);
  log.pid = lines.pid;
  log.stream = lines.stream;
  log.text = lend(lines.text);
  log.dropped_lines = lines.dropped_lines;
  return write_struct(out_view, log)
             ? SABIR_OK
             : fail(out_error, SABIR_INVALID_ARGUMENT, "sabir_log_view without its struct_size");
}
