// MemoryBudget: how many bytes of messages a node keeps for all its connections together (T1). One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace sabir::rpc {

class MemoryBudget {
 public:
  // Messages up to this size are not counted: a node that is out of budget still serves those who ask for little.
  static constexpr uint64_t kFreeBytes = 4096;

  // Gives back what it took. It may outlive the budget: a call that is being answered keeps its message until the event
  // loop goes.
  class Share {
   public:
    Share(Share&& other) noexcept = default;
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (left_bytes_ != nullptr) {
        *left_bytes_ += bytes_;
      }
    }

   private:
    friend class MemoryBudget;
    Share(std::shared_ptr<uint64_t> left_bytes, uint64_t bytes) : left_bytes_(std::move(left_bytes)), bytes_(bytes) {}
    std::shared_ptr<uint64_t> left_bytes_;  // null: moved from
    uint64_t bytes_;
  };

  explicit MemoryBudget(uint64_t bytes) : left_bytes_(std::make_shared<uint64_t>(bytes)) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Nothing: no room.
  std::optional<Share> take(uint64_t bytes) {
    uint64_t counted = bytes <= kFreeBytes ? 0 : bytes;
    if (counted > *left_bytes_) {
      return std::nullopt;
    }
    *left_bytes_ -= counted;
    return Share(left_bytes_, counted);
  }
  uint64_t left_bytes() const { return *left_bytes_; }

 private:
  const std::shared_ptr<uint64_t> left_bytes_;
};

}  // namespace sabir::rpc
