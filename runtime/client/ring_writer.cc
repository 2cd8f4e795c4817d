#include "runtime/client/ring_writer.h"

#include <ctime>

namespace sabir::client {
namespace {

void nap() {
  timespec slice = {0, 200'000};
  ::nanosleep(&slice, nullptr);
}

}  // namespace

Result<void> RingWriter::write(const shm::RingMessage& message) {
  std::unique_lock guard(lock_);
  while (!producer_.try_push(message)) {
    if (closed_.load(std::memory_order_acquire)) {
      return disconnected_error("the node is gone");
    }
    // Others may go on reading positions meanwhile; order among writers is kept by whoever holds the client's lock.
    guard.unlock();
    neighbours_.daemon().ring();
    nap();
    guard.lock();
  }
  guard.unlock();
  neighbours_.daemon().ring_unless_watching();
  return {};
}

bool RingWriter::has_room(uint32_t records) {
  std::lock_guard guard(lock_);
  return producer_.room() >= records;
}

uint64_t RingWriter::position() {
  std::lock_guard guard(lock_);
  return producer_.position();
}

bool RingWriter::passed(uint64_t position) {
  std::lock_guard guard(lock_);
  return producer_.passed(position);
}

}  // namespace sabir::client
