#include "runtime/client/event_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sabir::client {
namespace {

size_t bytes_of(const Buffer* buffer) {
  return buffer == nullptr ? 0 : buffer->bytes.size() + buffer->lines.text.size();
}

}  // namespace

Result<std::shared_ptr<EventQueue>> EventQueue::create() {
  UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) {
    return Error::from_errno(errno, "eventfd");
  }
  return std::shared_ptr<EventQueue>(new EventQueue(std::move(fd)));
}

EventQueue::~EventQueue() {
  for (QueuedEvent& event : events_) {
    delete event.buffer;
  }
}

void EventQueue::push(const QueuedEvent& event) {
  std::lock_guard guard(lock_);
  push_locked(event);
}

void EventQueue::push_once(uint32_t kind) {
  std::lock_guard guard(lock_);
  if (std::none_of(events_.begin(), events_.end(), [kind](const QueuedEvent& event) { return event.kind == kind; })) {
    push_locked({.kind = kind});
  }
}

void EventQueue::push_locked(const QueuedEvent& event) {
  events_.push_back(event);
  buffered_bytes_ += bytes_of(event.buffer);
  count_.store(events_.size(), std::memory_order_release);
  if (events_.size() == 1) {
    uint64_t one = 1;
    (void)!::write(fd_.get(), &one, sizeof(one));
  }
}

bool EventQueue::push_buffer(uint32_t kind, Buffer buffer) {
  {
    std::lock_guard guard(lock_);
    if (buffered_bytes_ + bytes_of(&buffer) > kMaxBufferedBytes) {
      dropped_lines_ += static_cast<uint64_t>(std::count(buffer.lines.text.begin(), buffer.lines.text.end(), '\n')) +
                        buffer.lines.dropped_lines;
      return false;
    }
    buffer.lines.dropped_lines += std::exchange(dropped_lines_, 0);
  }
  push({kind, 0, new Buffer(std::move(buffer))});
  return true;
}

size_t EventQueue::take(QueuedEvent* out, size_t capacity) {
  std::lock_guard guard(lock_);
  size_t taken = std::min(capacity, events_.size());
  for (size_t i = 0; i < taken; ++i) {
    out[i] = events_.front();
    buffered_bytes_ -= bytes_of(out[i].buffer);
    events_.pop_front();
  }
  if (taken != 0 && events_.empty()) {
    uint64_t value;
    (void)!::read(fd_.get(), &value, sizeof(value));
  }
  count_.store(events_.size(), std::memory_order_release);
  return taken;
}

}  // namespace sabir::client
