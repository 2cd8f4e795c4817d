#include "runtime/control/actor_names.h"

#include <utility>

namespace sabir::control {
namespace {

constexpr uint8_t kVersion = 1;

std::string row_key(const ActorName& name) {
  return RecordWriter(kVersion).text(name.name_space).text(name.name).take();
}

std::string encode(const NamedActor& actor) {
  RecordWriter out(kVersion);
  actor.home.write(out);
  out.text(actor.actor_id).text(actor.class_name).text(actor.class_info);
  out.number(actor.language).number(actor.max_task_retries);
  return out.take();
}

size_t bytes_of(const ActorName& name, const NamedActor& actor) {
  return name.name_space.size() + name.name.size() + actor.class_name.size() + actor.class_info.size();
}

}  // namespace

Result<void> ActorNames::load() {
  names_.clear();
  size_bytes_ = 0;
  bool good = true;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view key, std::string_view value) {
    RecordReader in_key(key, kVersion);
    ActorName name{in_key.text(), in_key.text()};
    RecordReader in(value, kVersion);
    NamedActor actor;
    actor.home = NodeRef::read(in);
    actor.actor_id = in.text();
    actor.class_name = in.text();
    actor.class_info = in.text();
    actor.language = in.number<uint8_t>();
    actor.max_task_retries = in.number<int32_t>();
    good = good && in_key.done() && in.done();
    size_bytes_ += bytes_of(name, actor);
    names_.emplace(std::move(name), std::move(actor));
  }));
  return good ? Result<void>() : internal_error("the stored names of actors cannot be read");
}

Result<void> ActorNames::take(const ActorName& name, const NamedActor& actor) {
  if (name.name.empty() || actor.home.none() || actor.actor_id.empty()) {
    return invalid_error("a name, its actor and the actor's home are never empty");
  }
  auto found = names_.find(name);
  if (found != names_.end() && found->second.home != actor.home) {
    return already_exists_error("an actor of another node has the name " + name.name + " in namespace " +
                                name.name_space);
  }
  if (found != names_.end() && found->second == actor) {
    return {};
  }
  size_t before = found != names_.end() ? bytes_of(name, found->second) : 0;
  size_t bytes = size_bytes_ - before + bytes_of(name, actor);
  if ((found == names_.end() && names_.size() >= kMaxNames) || bytes > kMaxTotalBytes) {
    return exhausted_error("the cluster has too many named actors (limit " + std::to_string(kMaxNames) +
                           ", and with their classes " + std::to_string(kMaxTotalBytes >> 20) + " MiB)");
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().put(kTable, row_key(name), encode(actor))));
  size_bytes_ = bytes;
  names_.insert_or_assign(name, actor);
  return {};
}

Result<void> ActorNames::free(const ActorName& name, const std::string& actor_id) {
  auto found = names_.find(name);
  if (found == names_.end() || found->second.actor_id != actor_id) {
    return {};
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().erase(kTable, row_key(name))));
  size_bytes_ -= bytes_of(name, found->second);
  names_.erase(found);
  return {};
}

Result<void> ActorNames::node_gone(const NodeRef& home) {
  Batch batch;
  for (const auto& [name, actor] : names_) {
    if (actor.home == home) {
      batch.erase(kTable, row_key(name));
    }
  }
  if (batch.empty()) {
    return {};
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  std::erase_if(names_, [&](const auto& entry) {
    bool goes = entry.second.home == home;
    size_bytes_ -= goes ? bytes_of(entry.first, entry.second) : 0;
    return goes;
  });
  return {};
}

const NamedActor* ActorNames::find(const ActorName& name) const {
  auto found = names_.find(name);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace sabir::control
