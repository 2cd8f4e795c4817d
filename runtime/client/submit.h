// The front of a call: makes its record, parks it while arguments are missing, and encodes them when they are there.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "runtime/abi/sabir.h"
#include "runtime/client/args.h"
#include "runtime/client/call.h"
#include "runtime/client/core.h"

namespace sabir::client {

class Submitter {
 public:
  explicit Submitter(Core& core) : core_(core) {}

  // Need no lock. `out_refs` gets num_returns references.
  // `attempt`: how often it was tried before, elsewhere.
  Result<void> submit_task(Task* task, std::span<const sabir_arg> args, sabir_ref** out_refs, uint16_t attempt = 0);
  // `max_retries`: instead of the actor's max_task_retries.
  Result<void> submit_actor(Future* actor, uint32_t method, uint16_t num_returns, std::span<const sabir_arg> args,
                            sabir_ref** out_refs, std::optional<int32_t> max_retries = std::nullopt);
  // The constructor's arguments: go to sabird when they are ready.
  Result<void> start_actor(Future* actor, std::span<const sabir_arg> args);

  // Under the lock: calls whose last argument has come.
  void run_ready();
  // A call that was over runs once more (Lineage), when its arguments are there.
  void submit_again(Call* call);
  // Without it: calls whose arguments have to go into the store first. May wait.
  bool needs_help() const { return !oversized_.empty(); }
  void help();

 private:
  // The queue of its class; of a call that follows its parent into a placement group, of the class there.
  Result<ClassQueue*> queue_for(const Task& task);
  Result<void> submit(Call* call, PreparedArgs prepared, sabir_ref** out_refs, Lock& lock);
  // Parks it until all arguments are there, or goes on.
  void await_arguments(Call* call);
  void resolve(Call* call);
  void encode(Call* call, const PreparedArgs& prepared);
  void route(Call* call);
  void send_creation(Call* call);
  void fail(Call* call, Future* error);
  static void hand_out(Call* call, sabir_ref** out_refs);

  Core& core_;
  std::vector<Call*> oversized_;
};

}  // namespace sabir::client
