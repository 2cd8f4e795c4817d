#include "runtime/shm/untrusted.h"

#include "runtime/shm/work_queue.h"

namespace sabir::shm {
namespace {

// Byte by byte: memory that others may write meanwhile.
void copy_bytes(const uint8_t* shared, void* out, size_t size_bytes) {
  auto* target = static_cast<uint8_t*>(out);
#if defined(__SANITIZE_THREAD__)
  for (size_t i = 0; i < size_bytes; ++i) {
    target[i] = __atomic_load_n(shared + i, __ATOMIC_RELAXED);
  }
#else
  std::memcpy(target, shared, size_bytes);
#endif
}

}  // namespace

CellCopy UntrustedCalls::cell(CellIndex index) const {
  const Cell& shared = calls_.cell(index);
  CellCopy copy;
  copy.word = CellWord::unpack(shared.word.load(std::memory_order_acquire));
  Cell cell = {};
  static_assert(sizeof(Cell) % sizeof(uint64_t) == 0);
  const auto* source = reinterpret_cast<const uint64_t*>(&shared);
  uint64_t words[offsetof(Cell, payload) / sizeof(uint64_t)];
  for (size_t i = 0; i < std::size(words); ++i) {
    words[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
  }
  std::memcpy(static_cast<void*>(&cell), words, sizeof(words));
  copy.function = cell.function;
  copy.call_id = cell.call_id;
  copy.parent = Untrusted<uint64_t>(cell.parent);
  copy.args_bytes = Untrusted<uint32_t>(cell.args_bytes);
  copy.args_block = Untrusted<uint32_t>(cell.args_block);
  copy.result_bytes = Untrusted<uint32_t>(cell.result_bytes);
  copy.result_block = Untrusted<uint32_t>(cell.result_block);
  copy.kind = Untrusted<uint8_t>(cell.kind);
  copy.result_place = Untrusted<uint8_t>(cell.result_place);
  copy.result_is_error = cell.result_is_error != 0;
  copy.result_has_refs = cell.result_has_refs != 0;
  copy.num_returns = cell.num_returns;
  return copy;
}

bool UntrustedCalls::copy_payload(CellIndex index, size_t offset, void* out, size_t size_bytes) const {
  if (offset > kCellInlineBytes || size_bytes > kCellInlineBytes - offset) {
    return false;
  }
  copy_bytes(&calls_.cell(index).payload[offset], out, size_bytes);
  return true;
}

bool UntrustedCalls::copy_block(uint32_t unit, void* out, size_t size_bytes) const {
  const uint8_t* block = calls_.find_block(unit, size_bytes);
  if (block == nullptr) {
    return false;
  }
  copy_bytes(block, out, size_bytes);
  return true;
}

uint32_t UntrustedCalls::queue_length(QueueIndex queue) const { return work_queue_length(calls_.queue(queue)); }

void UntrustedCalls::for_each_in_queue(QueueIndex queue, const std::function<void(CellRef)>& visit) const {
  const WorkQueue& ring = calls_.queue(queue);
  uint64_t head = ring.head.load(std::memory_order_seq_cst);
  auto length = static_cast<int64_t>(ring.tail.load(std::memory_order_seq_cst) - head);
  for (int64_t i = 0; i < std::min<int64_t>(length, kWorkQueueSlots); ++i) {
    visit(CellRef::unpack(
        ring.slots[(head + static_cast<uint64_t>(i)) % kWorkQueueSlots].load(std::memory_order_relaxed)));
  }
}

}  // namespace sabir::shm
