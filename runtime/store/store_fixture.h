// For tests: a ledger and an ownership table over a small store, and what they asked for.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/store/loans.h"
#include "runtime/store/ownership.h"

namespace sabir::store {

inline constexpr uint64_t kMiB = 1 << 20;

// Those instructions of one kind, in order.
template <typename T>
std::vector<T> only(const Instructions& instructions) {
  std::vector<T> found;
  for (const Instruction& instruction : instructions) {
    if (const T* match = std::get_if<T>(&instruction)) {
      found.push_back(*match);
    }
  }
  return found;
}

struct Store {
  explicit Store(uint64_t capacity_bytes = 64 * kMiB, Ownership::Options options = {})
      : allocator(make_first_fit_allocator(segment_bytes_for(capacity_bytes + kMiB), capacity_bytes + kMiB)),
        loans(*allocator, clock, loan_options(capacity_bytes)),
        own(loans, std::move(options)) {}

  static LoanLedger::Options loan_options(uint64_t capacity_bytes) {
    LoanLedger::Options options;
    options.capacity_bytes = capacity_bytes;
    options.describe = [](ProcessId process) { return "process " + std::to_string(process.slot); };
    return options;
  }

  // A loan that is granted at once.
  GrantLoan lend(ProcessId process, uint64_t size_bytes) {
    Instructions now;
    loans.request(++ticket, process, size_bytes, 0, now);
    std::vector<GrantLoan> grants = only<GrantLoan>(now);
    EXPECT_EQ(grants.size(), 1U);
    return grants.empty() ? GrantLoan{} : grants.front();
  }

  shm::EntryIndex lend_batch(ProcessId process) {
    return EntryTable::first_entry(own.lend_batch(process, out).value());
  }

  void tell(ProcessId process, const shm::RingMessage& message) { own.apply(process, shm::encode(message), out); }

  // A round in which these are read, from this process.
  void round(ProcessId process = {}, const std::vector<shm::RingMessage>& messages = {}) {
    own.begin_round();
    for (const shm::RingMessage& message : messages) {
      tell(process, message);
    }
    own.end_round(out);
    EXPECT_EQ(own.check_invariants(), "");
  }
  // Until nothing more happens by itself.
  void settle() {
    for (int i = 0; own.needs_round() && i < 10; ++i) {
      round();
    }
    EXPECT_FALSE(own.needs_round());
  }
  // An object of its own loan, held by the process.
  shm::EntryRef announce(ProcessId process, shm::EntryRef entry, uint64_t size_bytes) {
    GrantLoan loan = lend(process, size_bytes);
    round(process, {shm::RingMessage::announce(entry, loan.offset, size_bytes, true)});
    return entry;
  }

  shm::EntryState state(shm::EntryRef entry) const {
    std::optional<Ownership::Info> info = own.look_up(entry);
    return info ? info->word.state : shm::EntryState::kFree;
  }
  template <typename T>
  std::vector<T> take() {
    std::vector<T> found = only<T>(out);
    out.clear();
    return found;
  }

  ManualClock clock;
  std::unique_ptr<RangeAllocator> allocator;
  LoanLedger loans;
  Ownership own;
  Instructions out;
  uint64_t ticket = 0;
};

}  // namespace sabir::store
