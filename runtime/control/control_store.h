// The control store: what a session must know for longer than any of its processes lives. Every mutation is idempotent
// and is in the storage when it returns. One thread, no I/O but the storage's.
#pragma once

#include "runtime/base/result.h"
#include "runtime/control/actor_registry.h"
#include "runtime/control/functions.h"
#include "runtime/control/jobs.h"
#include "runtime/control/key_value.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class ControlStore {
 public:
  // `storage` must outlive it.
  explicit ControlStore(Storage* storage)
      : jobs_(storage), functions_(storage), key_value_(storage), actors_(storage) {}

  // What an earlier life left in the storage. kInternal: it cannot be read.
  Result<void> load();

  Jobs& jobs() { return jobs_; }
  Functions& functions() { return functions_; }
  KeyValue& key_value() { return key_value_; }
  ActorRegistry& actors() { return actors_; }

 private:
  Jobs jobs_;
  Functions functions_;
  KeyValue key_value_;
  ActorRegistry actors_;
};

}  // namespace sabir::control
