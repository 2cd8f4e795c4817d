// The control store: what a session or a cluster must know for longer than any of its processes lives. Every mutation
// is idempotent and is in the storage when it returns. One thread, no I/O but the storage's.
#pragma once

#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/control/actor_names.h"
#include "runtime/control/actor_registry.h"
#include "runtime/control/functions.h"
#include "runtime/control/jobs.h"
#include "runtime/control/key_value.h"
#include "runtime/control/nodes.h"
#include "runtime/control/records.h"
#include "runtime/control/reply_cache.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class ControlStore {
 public:
  static constexpr std::string_view kPlacementGroupsTable = "placement_groups";

  // `storage` must outlive it.
  explicit ControlStore(Storage* storage)
      : jobs_(storage),
        functions_(storage),
        key_value_(storage),
        actors_(storage),
        names_(storage),
        nodes_(storage),
        placement_groups_(storage, std::string(kPlacementGroupsTable)),
        replies_(storage) {}

  // What an earlier life left in the storage, or what the storage has after it took something back. kInternal: it
  // cannot be read.
  Result<void> load();

  Jobs& jobs() { return jobs_; }
  Functions& functions() { return functions_; }
  KeyValue& key_value() { return key_value_; }
  ActorRegistry& actors() { return actors_; }
  ActorNames& names() { return names_; }
  Nodes& nodes() { return nodes_; }
  // What runtime/node/cluster decides about them; the bytes are its own.
  Records& placement_groups() { return placement_groups_; }
  ReplyCache& replies() { return replies_; }

 private:
  Jobs jobs_;
  Functions functions_;
  KeyValue key_value_;
  ActorRegistry actors_;
  ActorNames names_;
  Nodes nodes_;
  Records placement_groups_;
  ReplyCache replies_;
};

}  // namespace sabir::control
