// What the processes of a stress or kill test write down for the test to judge. Not part of any segment: it lies in
// anonymous shared memory that fork hands on, so a fault in the segments cannot hide itself here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "runtime/shm/mapping.h"

namespace sabir::shm::testing {

class Scoreboard {
 public:
  // One ticket per attempt of a call. Far more than can be under way, so a number that comes again is free.
  static constexpr uint32_t kMaxTickets = 1 << 20;

  static std::unique_ptr<Scoreboard> create();

  uint64_t next_ticket() {
    uint64_t ticket = shared_->tickets.fetch_add(1) % kMaxTickets;
    shared_->runs[ticket].store(0);
    return ticket;
  }
  // A claimer starts this attempt: never twice.
  void ran(uint64_t ticket) { require(shared_->runs[ticket % kMaxTickets].fetch_add(1) == 0, "ran twice"); }
  uint32_t runs(uint64_t ticket) const { return shared_->runs[ticket % kMaxTickets].load(); }

  void count_submitted() { shared_->submitted.fetch_add(1); }
  void count_ended() { shared_->ended.fetch_add(1); }
  void count_repaired() { shared_->repaired.fetch_add(1); }
  uint64_t submitted() const { return shared_->submitted.load(); }
  uint64_t ended() const { return shared_->ended.load(); }
  uint64_t repaired() const { return shared_->repaired.load(); }

  // All are to finish what is under way and leave; submitters first, since they need the others for it.
  void stop_submitters() { shared_->stop_submitters.store(1); }
  void stop_all() { shared_->stop_all.store(1); }
  bool submitters_stopped() const { return shared_->stop_submitters.load() != 0; }
  bool all_stopped() const { return shared_->stop_all.load() != 0; }

  // A broken promise: the first is kept with its text (a literal).
  void require(bool kept, const char* promise) {
    if (!kept) [[unlikely]] {
      const char* none = nullptr;
      shared_->broken.compare_exchange_strong(none, promise);
    }
  }
  // Literals lie at the same address in all forks of the test.
  const char* broken() const { return shared_->broken.load(); }

 private:
  struct Shared {
    std::atomic<uint64_t> tickets;
    std::atomic<uint64_t> submitted;
    std::atomic<uint64_t> ended;
    std::atomic<uint64_t> repaired;
    std::atomic<uint32_t> stop_submitters;
    std::atomic<uint32_t> stop_all;
    std::atomic<const char*> broken;
    std::array<std::atomic<uint8_t>, kMaxTickets> runs;
  };

  explicit Scoreboard(Mapping mapping)
      : mapping_(std::move(mapping)), shared_(static_cast<Shared*>(mapping_.address())) {}

  Mapping mapping_;
  Shared* shared_;
};

}  // namespace sabir::shm::testing
