// LoanLedger: who may write where in the objects segment (T3, O3). A state machine without I/O: events in,
// instructions out, time by constructor. Its owner is sabird's loop thread.
//
// Life of a loan:   OPEN  the process places objects in it, ascending, and announces them
//                   CLOSED  everything placed was announced (announce that closes, or RingOp kCloseLoan)
//                   IDLE  closed and empty: kept for the same process, whose alias still stands (O1)
//                   gone  idle and given back, or its process is dead and nothing lives in it
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/store/identity.h"
#include "runtime/store/instructions.h"
#include "runtime/store/range_allocator.h"

namespace sabir::store {

// Objects start at multiples of this in their loan (contract: data starts 64-aligned).
inline constexpr uint64_t kObjectAlignment = 64;

class LoanLedger {
 public:
  struct Options {
    // What processes may have on loan. The allocator's budget should be larger by a little: the rest is for values that
    // sabird itself keeps (O6) and may not be refused.
    uint64_t capacity_bytes = 0;
    // A request waits at least this long, so that processes that were asked to collect can answer (O9).
    int64_t min_wait_ns = 100 * kMillisecondNs;
    uint32_t max_waiting_per_process = 64;
    // "process 4711 (job 2)", for messages. Default: slot and incarnation.
    std::function<std::string(ProcessId)> describe;
  };
  struct Usage {
    uint64_t capacity_bytes = 0;
    uint64_t used_bytes = 0;    // all loans
    uint64_t object_bytes = 0;  // what lives in them
    uint64_t objects = 0;
    uint64_t loans = 0;
    uint64_t idle_bytes = 0;  // of idle loans
    uint64_t waiting = 0;     // requests
  };

  LoanLedger(RangeAllocator& allocator, const Clock& clock, Options options);

  // --- from the control channel ---

  // Ends in one GrantLoan or RefuseLoan with this ticket, now or later. Idle loans of the same process come first
  // (size .. 2x), then new space, in the order of arrival.
  void request(uint64_t ticket, ProcessId process, uint64_t size_bytes, int64_t wait_ns, Instructions& out);
  // The asker is gone; the ticket is not answered.
  void cancel(uint64_t ticket, Instructions& out);
  // The process unmapped its alias: an idle loan is free at once, another one when it is closed and empty. That may
  // overtake what the process wrote into its ring before, so an open loan is never taken at this word alone.
  // kInvalid: not a loan of that process.
  Result<void> give_back(ProcessId process, uint64_t offset, Instructions& out);
  // Its ring has been read to its end (D5). What it announced stays, the rest is free.
  void process_dead(ProcessId process, Instructions& out);
  // Refuses what has waited too long. Call at next_deadline_ns().
  void tick(Instructions& out);
  std::optional<int64_t> next_deadline_ns() const;

  // --- from Ownership ---

  // An object of the process lies at [offset, +size_bytes). Error: not inside an open loan of it, misaligned, or over
  // an object that lives.
  Result<void> announce(ProcessId process, uint64_t offset, uint64_t size_bytes, bool closes);
  Result<void> close(ProcessId process, uint64_t offset, Instructions& out);
  // The object at `offset` is no more.
  void object_freed(uint64_t offset, Instructions& out);
  // Room for a value that sabird keeps. Not subject to capacity_bytes, only to the allocator's budget.
  Result<uint64_t> place(uint64_t size_bytes);

  // --- for people ---

  Usage usage() const;
  uint64_t loan_bytes(ProcessId process) const;
  // What fills the store: top processes, loans, largest objects.
  std::string describe_contents() const;
  // Tests: recounts everything and compares. Empty: all is well.
  std::string check_invariants() const;

 private:
  enum class State : uint8_t { kOpen, kClosed, kIdle };
  struct Object {
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
  };
  struct Loan {
    ProcessId process;
    uint64_t size_bytes = 0;
    State state = State::kOpen;
    bool process_dead = false;
    bool alias_gone = false;      // given back while objects live in it
    std::vector<Object> objects;  // alive, ascending
  };
  struct Waiting {
    uint64_t ticket = 0;
    ProcessId process;
    uint64_t size_bytes = 0;
    int64_t deadline_ns = 0;
  };
  using Loans = std::map<uint64_t, Loan>;

  Loans::iterator loan_around(uint64_t offset);
  bool grant_idle(uint64_t ticket, ProcessId process, uint64_t size_bytes, Instructions& out);
  bool grant_new(uint64_t ticket, ProcessId process, uint64_t size_bytes, Instructions& out);
  void closed(Loans::iterator loan);
  void became_empty(Loans::iterator loan);
  void release(Loans::iterator loan);
  void serve_waiting(Instructions& out);
  void press(Instructions& out);
  Error full_error(uint64_t size_bytes) const;
  std::string name(ProcessId process) const;

  RangeAllocator& allocator_;
  const Clock& clock_;
  Options options_;
  Loans loans_;
  std::unordered_map<ProcessId, std::vector<uint64_t>> idle_;  // offsets of idle loans, the latest last
  std::map<uint64_t, uint64_t> node_values_;                   // place(): offset -> size
  std::deque<Waiting> waiting_;
  std::vector<ProcessId> newly_idle_;
  uint64_t used_bytes_ = 0;  // of loans
  uint64_t node_bytes_ = 0;  // of node_values_
  uint64_t object_bytes_ = 0;
  uint64_t objects_ = 0;
  uint64_t idle_bytes_ = 0;
  std::optional<uint64_t> pressed_for_;  // the ticket for which everybody was asked to collect
};

}  // namespace sabir::store
