// The names of actors over a whole cluster. A name is one actor's; what a node needs to make handles of it stands with
// it. Each node keeps the names of its own actors besides (actor_registry.h), and asks before it gives away a new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "runtime/base/result.h"
#include "runtime/control/node_ref.h"
#include "runtime/control/storage.h"

namespace sabir::control {

struct NamedActor {
  NodeRef home;
  std::string actor_id;  // 16 bytes
  std::string class_name;
  std::string class_info;
  uint8_t language = 0;
  int32_t max_task_retries = 0;
  bool operator==(const NamedActor&) const = default;
};

struct ActorName {
  std::string name_space;
  std::string name;
  auto operator<=>(const ActorName&) const = default;
};

class ActorNames {
 public:
  static constexpr std::string_view kTable = "actor_names";
  static constexpr size_t kMaxNames = 1 << 16;
  static constexpr size_t kMaxTotalBytes = 128 << 20;

  explicit ActorNames(Storage* storage) : storage_(storage) {}
  Result<void> load();

  // It has the name from now on. Of its own actors a node knows best whether they live: what it asks for again it gets.
  // kAlreadyExists: an actor of another node has it. kExhausted: the bounds. kInvalid.
  Result<void> take(const ActorName& name, const NamedActor& actor);
  // Unless it is another one's by now.
  Result<void> free(const ActorName& name, const std::string& actor_id);
  // Of all actors that had their home there.
  Result<void> node_gone(const NodeRef& home);
  // Null: nobody has it.
  const NamedActor* find(const ActorName& name) const;
  size_t count() const { return names_.size(); }

 private:
  Storage* const storage_;
  std::map<ActorName, NamedActor> names_;
  size_t size_bytes_ = 0;
};

}  // namespace sabir::control
