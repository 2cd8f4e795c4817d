// O11: calls whose results are on other nodes are kept when they are over, with their arguments, so that they run again
// should such a result be lost. Under the client's lock.
//
// A kept call holds what its arguments refer to, but for results of other kept calls: of those it needs the call, not
// the value. (So it is with objects that others have put, too, as long as somebody else holds them: once nobody does,
// they count as kept.) A future that only kept calls need any more is dormant: its value is gone, its record stays, and
// it is made again when a call that needs it is. So a long chain of results, each made from the one before, costs
// records, not values. What is kept is bounded; the oldest goes first, and with it the means to make its results again.
#pragma once

#include <cstddef>
#include <string>

#include "runtime/client/call.h"
#include "runtime/client/core.h"

namespace sabir::client {

class Lineage {
 public:
  static constexpr size_t kMaxBytes = 64 << 20;
  // Beside its arguments; futures and allocations counted in.
  static constexpr size_t kBytesEach = 1024;

  explicit Lineage(Core& core) : core_(core) {}

  // The call is over, its results are settled, and some of them are elsewhere. Takes the record over, or returns false.
  bool keep(Call* call);
  // The node has handed the entry's value to this process to be made again.
  void lost(shm::EntryRef entry);

  // The last count is gone. True: it stays as it is, because kept calls need its value.
  bool retains(Future* dead);
  // ... and what the future told others is taken back. True: its record stays, as dormant.
  bool outlives(Future* dead);
  // The store is full: lets go of the values that only this holds.
  void collect();
  // When the client is gone.
  void abandon_all();

  size_t kept_count() const { return kept_.size(); }

 private:
  void borrow_needed(Call* call);
  void evict();
  // Frees the records of the call and of all that only it needed.
  void forget(Call* call, NoLineage why);
  void unneed(Future* future, std::vector<Call*>& forgotten);
  void end_retention(Future* future);
  // No result is left that it could make again.
  static bool is_useless(const Call* call);
  static void leave(Call* call, Future* result);
  void lose(Future* future);
  void run(Call* call);
  void take_results(Call* call);
  void take_arguments(Call* call, std::vector<Call*>& more);
  bool revive(Future* future);
  // Also if the last count is going just now. False: nothing runs any more.
  bool revive_surely(Future* future);

  Core& core_;
  CallList kept_;            // oldest first
  uint64_t kept_bytes_ = 0;  // calls and retained values
  uint64_t retained_bytes_ = 0;
  uint64_t pressure_seen_ = 0;
};

// For people.
std::string describe(NoLineage why);

}  // namespace sabir::client
