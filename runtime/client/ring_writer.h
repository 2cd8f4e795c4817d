// O4: what this process tells sabird about objects. Any thread; a lock of its own, inside the client's lock.
#pragma once

#include <atomic>
#include <mutex>

#include "runtime/client/neighbours.h"
#include "runtime/shm/process_ring.h"
#include "runtime/store/object_writer.h"

namespace sabir::client {

class RingWriter final : public store::RingSink {
 public:
  RingWriter(const Membership& self, Neighbours& neighbours)
      : neighbours_(neighbours), clock_(self.clock()), producer_(self.calls().ring(self.slot())) {}

  // Waits while the ring is full: sabird reads without being asked for anything, so that is short. kDisconnected when
  // it is gone; then nothing matters any more.
  Result<void> write(const shm::RingMessage& message) override;
  void tell(const shm::RingMessage& message) { (void)write(message); }

  // Room for so many records now: what may be late (removes) is put off otherwise.
  bool has_room(uint32_t records);
  // O6: passed(position()) later says that sabird has read all that was written until now.
  uint64_t position();
  bool passed(uint64_t position);

  // The node is gone, or this client: nobody waits any more.
  void close() { closed_.store(true, std::memory_order_release); }

 private:
  Neighbours& neighbours_;
  const Clock& clock_;
  std::mutex lock_;
  shm::RingProducer producer_;  // under lock_
  std::atomic<bool> closed_{false};
};

}  // namespace sabir::client
