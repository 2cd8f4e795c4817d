#include "runtime/shm/lease.h"

namespace sabir::shm {
namespace {

uint16_t plus_one(uint32_t first_queue) {
  return first_queue < kMaxQueues ? static_cast<uint16_t>(first_queue + 1) : uint16_t{0};
}

}  // namespace

uint32_t LeaseWriter::next_epoch(SlotIndex slot) const {
  // 0 is what a page that never had a lease says it has ended.
  uint32_t epoch = word(slot).epoch + 1;
  return epoch == 0 ? 1 : epoch;
}

void LeaseWriter::grant(SlotIndex slot, uint32_t epoch, ClassIndex class_index, uint32_t first_queue,
                        uint64_t gpu_mask) {
  SABIR_CHECK(class_index < kMaxClasses, "class=", class_index);
  LeaseRecord& lease = record(slot);
  lease.gpu_mask.store(gpu_mask, std::memory_order_release);
  lease.word.store(LeaseWord{epoch, static_cast<uint16_t>(class_index + 1), plus_one(first_queue)}.pack(),
                   std::memory_order_seq_cst);
}

void LeaseWriter::redirect(SlotIndex slot, uint32_t first_queue) {
  LeaseWord lease = word(slot);
  if (lease.granted()) {
    lease.first_queue_plus_one = plus_one(first_queue);
    record(slot).word.store(lease.pack(), std::memory_order_seq_cst);
  }
}

void LeaseWriter::withdraw(SlotIndex slot) {
  record(slot).word.store(LeaseWord{word(slot).epoch, 0, 0}.pack(), std::memory_order_seq_cst);
}

}  // namespace sabir::shm
