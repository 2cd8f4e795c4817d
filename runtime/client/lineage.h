// O11: calls whose results are on other nodes are kept when they are over, with their arguments, so that they run again
// should such a result be lost. Under the client's lock.
//
// A kept call holds what its arguments refer to, but for results of other kept calls: of those it needs the call, not
// the value. A future that only kept calls need any more is dormant: its value is gone, its record stays, and it is
// made again when a call that needs it is. So a long chain of results, each made from the one before, costs records,
// not values. What is kept is bounded; the oldest goes first, and with it the means to make its results again.
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

  // The last count is gone, and what the future told others is taken back. True: its record stays, as dormant.
  bool outlives(Future* dead);
  // When the client is gone.
  void abandon_all();

  size_t kept_count() const { return kept_.size(); }

 private:
  void borrow_needed(Call* call);
  void evict();
  // Frees the records of the call and of all that only it needed.
  void forget(Call* call, NoLineage why);
  void unneed(Future* future, std::vector<Call*>& forgotten);
  // No result is left that it could make again.
  static bool is_useless(const Call* call);
  static void leave(Call* call, Future* result);
  void lose(Future* future, Call* call);
  void run(Call* call);
  void take_results(Call* call);
  void take_arguments(Call* call, std::vector<Call*>& more);
  bool revive(Future* future);

  Core& core_;
  CallList kept_;  // oldest first
  size_t kept_bytes_ = 0;
};

// For people.
std::string describe(NoLineage why);

}  // namespace sabir::client
