// What sabird reads in `calls` (T3, T5): anybody may write anything there at any time, so each word is loaded once, and
// the copy is looked at only through questions that name the bound. There is no way back to the shared memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstring>
#include <functional>
#include <optional>
#include <type_traits>

#include "runtime/shm/segment.h"

namespace sabir::shm {

// A private copy of a number that another process chose.
template <typename T>
requires std::integral<T>
class Untrusted {
 public:
  constexpr explicit Untrusted(T value) : value_(value) {}

  // The value if it is below `limit`: an index, a count.
  constexpr std::optional<T> below(T limit) const { return value_ < limit ? std::optional<T>(value_) : std::nullopt; }
  // The value if it lies between the two, both included.
  constexpr std::optional<T> within(T low, T high) const {
    return value_ >= low && value_ <= high ? std::optional<T>(value_) : std::nullopt;
  }
  constexpr T clamped(T low, T high) const { return std::clamp(value_, low, high); }
  constexpr bool operator==(T expected) const { return value_ == expected; }
  // For messages, and for words whose every bit pattern is allowed.
  constexpr T any() const { return value_; }

 private:
  T value_;
};

template <typename T>
Untrusted<T> load_untrusted(const std::atomic<T>& word, std::memory_order order = std::memory_order_acquire) {
  return Untrusted<T>(word.load(order));
}

// A copy of plain memory that may change meanwhile: torn perhaps, but read once, 8 bytes at a time.
template <typename T>
requires(std::is_trivially_copyable_v<T> && sizeof(T) % sizeof(uint64_t) == 0 && alignof(T) >= alignof(uint64_t)) T
    copy_untrusted(const T& shared) {
  uint64_t words[sizeof(T) / sizeof(uint64_t)];
  const auto* source = reinterpret_cast<const uint64_t*>(&shared);
  for (size_t i = 0; i < sizeof(T) / sizeof(uint64_t); ++i) {
    words[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
  }
  T copy;
  std::memcpy(&copy, words, sizeof(T));
  return copy;
}

// The part of a cell that sabird looks at, as it was at one moment. `word` was read first: when it said DONE and still
// says the same afterwards, the rest belongs to that generation if the claimer is honest.
struct CellCopy {
  CellWord word;
  uint32_t function = 0;
  uint64_t call_id = 0;
  Untrusted<uint64_t> parent{0};
  Untrusted<uint32_t> args_bytes{0};
  Untrusted<uint32_t> args_block{0};
  Untrusted<uint32_t> result_bytes{0};
  Untrusted<uint32_t> result_block{0};
  Untrusted<uint8_t> kind{0};
  Untrusted<uint8_t> result_place{0};
  bool result_is_error = false;
  bool result_has_refs = false;
  uint16_t num_returns = 0;
};

// sabird's eyes on `calls`. Indices are sabird's own (out of its tables), or were checked by find_x before.
class UntrustedCalls {
 public:
  explicit UntrustedCalls(const CallsView& calls) : calls_(calls) {}

  CellWord cell_word(CellIndex cell) const {
    return CellWord::unpack(calls_.cell(cell).word.load(std::memory_order_acquire));
  }
  CellCopy cell(CellIndex cell) const;
  // Copies bytes of the cell's payload from `offset` on; false when they would leave it.
  bool copy_payload(CellIndex cell, size_t offset, void* out, size_t size_bytes) const;
  // Copies a block's bytes; false when they would leave the segment.
  bool copy_block(uint32_t unit, void* out, size_t size_bytes) const;

  // Q3, L3: how many calls wait, between 0 and the ring's size.
  uint32_t queue_length(QueueIndex queue) const;
  // What its slots name between head and tail, which are read first: what is QUEUED afterwards has not been passed. At
  // most one turn of the ring; the references are claims like the rest.
  void for_each_in_queue(QueueIndex queue, const std::function<void(CellRef)>& visit) const;
  // Q4: how many more wait privately behind it. Nobody can check that: use it as a hint, in sums that cannot overflow.
  uint32_t queue_overflow(QueueIndex queue) const {
    return calls_.queue(queue).overflow.load(std::memory_order_relaxed);
  }

  Untrusted<uint64_t> deaths_acknowledged(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).deaths_acknowledged);
  }
  Untrusted<uint32_t> lease_epoch_done(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).lease_epoch_done);
  }
  // L4: odd while the process is blocked.
  Untrusted<uint32_t> blocked(SlotIndex slot) const { return load_untrusted(calls_.page(slot).blocked); }
  Untrusted<uint32_t> function_plus_one(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).function_plus_one, std::memory_order_relaxed);
  }
  Untrusted<uint32_t> last_function_plus_one(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).last_function_plus_one, std::memory_order_relaxed);
  }
  Untrusted<uint64_t> executed(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).executed, std::memory_order_relaxed);
  }
  Untrusted<uint32_t> under_way(SlotIndex slot) const {
    return load_untrusted(calls_.page(slot).under_way, std::memory_order_relaxed);
  }

 private:
  const CallsView& calls_;
};

}  // namespace sabir::shm
