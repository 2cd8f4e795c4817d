// MemoryBudget: how many bytes of messages a node keeps for all its connections together (T1). One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace sabir::rpc {

class MemoryBudget {
 public:
  // Messages up to this size are not counted: a node that is out of budget still serves those who ask for little.
  static constexpr uint64_t kFreeBytes = 4096;

  // Gives back what it took. The budget outlives it.
  class Share {
   public:
    Share(Share&& other) noexcept : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (budget_ != nullptr) {
        budget_->left_bytes_ += bytes_;
      }
    }

   private:
    friend class MemoryBudget;
    Share(MemoryBudget* budget, uint64_t bytes) : budget_(budget), bytes_(bytes) {}
    MemoryBudget* budget_;
    uint64_t bytes_;
  };

  explicit MemoryBudget(uint64_t bytes) : left_bytes_(bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Nothing: no room.
  std::optional<Share> take(uint64_t bytes) {
    uint64_t counted = bytes <= kFreeBytes ? 0 : bytes;
    if (counted > left_bytes_) {
      return std::nullopt;
    }
    left_bytes_ -= counted;
    return Share(this, counted);
  }
  uint64_t left_bytes() const { return left_bytes_; }

 private:
  uint64_t left_bytes_;
};

}  // namespace sabir::rpc
