// The persistent part of actors: who they are, their names, whether they are dead. The life cycle is node/actors.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/base/scheduling.h"
#include "runtime/control/node_ref.h"
#include "runtime/control/resource_amount.h"
#include "runtime/control/storage.h"

namespace sabir::control {

using ActorResource = ResourceAmount;

struct ActorSpec {
  std::string id;  // 16 bytes, by the caller
  uint32_t job = 0;
  uint32_t class_function = 0;
  std::string name;
  std::string name_space;  // effective: never empty if there is a name
  ResourceAmounts resources;
  int32_t max_restarts = 0;
  int32_t max_task_retries = 0;
  uint32_t max_concurrency = 1;
  bool detached = false;
  bool get_if_exists = false;
  std::string class_info;
  uint8_t language = 0;
  std::string class_name;
  Scheduling scheduling;
  // Of one that another node has something to do with: see ActorOrigin of schema/session.capnp.
  enum class Role : uint8_t { kOwn = 0, kHosted = 1, kImported = 2 };
  Role role = Role::kOwn;
  std::string public_id;    // 16 bytes, what users see; empty: `id`
  std::string public_name;  // what users see; its home has the name
  NodeRef home;             // none: this node
  const std::string& shown_id() const { return public_id.empty() ? id : public_id; }
  const std::string& shown_name() const { return public_name.empty() ? name : public_name; }
  bool operator==(const ActorSpec&) const = default;
};

struct ActorEntry {
  ActorSpec spec;
  uint32_t index = 0;     // in the node's directory
  NodeRef node;           // that hosts it; none: not placed yet, or the session has one machine
  uint32_t restarts = 0;  // how often it was placed anew
  bool operator==(const ActorEntry&) const = default;
};

class ActorRegistry {
 public:
  static constexpr std::string_view kTable = "actors";

  explicit ActorRegistry(Storage* storage) : storage_(storage) {}
  Result<void> load();
  // Of a row of the table. kInternal: it cannot be read.
  static Result<ActorEntry> decode(std::string_view bytes);

  // kAlreadyExists: a living actor has the name. The same id again: fine, nothing changes.
  Result<void> add(const ActorSpec& spec, uint32_t index);
  // Its place in a cluster; one that had a place restarts. The same place again: fine, nothing changes. kNotFound.
  Result<void> place(const std::string& id, const NodeRef& node, uint32_t index);
  // Frees the name; the actor may live on. Idempotent.
  Result<void> release_name(const std::string& id);
  // It is dead. Idempotent.
  Result<void> erase(const std::string& id);

  const ActorEntry* find(const std::string& id) const;
  const ActorEntry* find_by_name(const std::string& name_space, const std::string& name) const;
  std::vector<const ActorEntry*> all() const;
  std::vector<const ActorEntry*> on_node(const NodeRef& node) const;

 private:
  using NameKey = std::pair<std::string, std::string>;  // namespace, name

  Storage* const storage_;
  std::map<std::string, ActorEntry> actors_;
  std::map<NameKey, std::string> names_;
};

}  // namespace sabir::control
