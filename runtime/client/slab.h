// A pool of equal records: LIFO, so that what was freed last is used first (it is in the cache), and never given back
// before the pool goes. Under the lock of its owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <unordered_set>
#include <vector>

namespace sabir::client {

template <typename T>
class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // A T as its constructor leaves it.
  T* take() {
    if (free_.empty()) [[unlikely]] {
      grow();
    }
    T* record = free_.back();
    free_.pop_back();
    return new (record) T;
  }
  void give_back(T* record) {
    record->~T();
    free_.push_back(record);
  }
  // All records in use; slow, for the end.
  std::vector<T*> used() const {
    std::unordered_set<T*> free(free_.begin(), free_.end());
    std::vector<T*> records;
    for (const std::unique_ptr<Slot[]>& slab : slabs_) {
      for (size_t i = 0; i < kPerSlab; ++i) {
        auto* record = reinterpret_cast<T*>(slab[i].bytes);
        if (free.count(record) == 0) {
          records.push_back(record);
        }
      }
    }
    return records;
  }
  size_t used_count() const { return slabs_.size() * kPerSlab - free_.size(); }

 private:
  static constexpr size_t kPerSlab = 256;
  struct alignas(alignof(T)) Slot {
    unsigned char bytes[sizeof(T)];
  };

  void grow() {
    // Plain memory: a slot holds a T only between take() and give_back().
    slabs_.push_back(std::make_unique_for_overwrite<Slot[]>(kPerSlab));
    free_.reserve(slabs_.size() * kPerSlab);
    for (size_t i = kPerSlab; i-- > 0;) {
      free_.push_back(reinterpret_cast<T*>(slabs_.back()[i].bytes));
    }
  }

  std::vector<std::unique_ptr<Slot[]>> slabs_;
  std::vector<T*> free_;
};

}  // namespace sabir::client
