#include "runtime/control/actor_registry.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/control/record.h"

namespace sabir::control {
namespace {

constexpr uint8_t kVersion = 4;  // 2: node, restarts; 3: role, public id, home; 4: scheduling
constexpr uint32_t kMostConditions = 1024;

void write(const LabelConditions& conditions, RecordWriter& out) {
  out.number(static_cast<uint32_t>(conditions.size()));
  for (const LabelCondition& condition : conditions) {
    out.text(condition.key).text(condition.text);
  }
}

LabelConditions read_conditions(RecordReader& in) {
  LabelConditions conditions;
  for (uint32_t left = std::min(in.number<uint32_t>(), kMostConditions); left > 0; --left) {
    std::string key = in.text();
    conditions.push_back({std::move(key), in.text()});
  }
  return conditions;
}

void write(const Scheduling& scheduling, RecordWriter& out) {
  out.number(static_cast<uint8_t>(scheduling.kind)).text(scheduling.node_id).flag(scheduling.soft);
  write(scheduling.labels, out);
  out.number(static_cast<uint32_t>(scheduling.fallback.size()));
  for (const LabelConditions& conditions : scheduling.fallback) {
    write(conditions, out);
  }
}

Scheduling read_scheduling(RecordReader& in) {
  Scheduling scheduling;
  scheduling.kind = static_cast<Scheduling::Kind>(in.number<uint8_t>());
  scheduling.node_id = in.text();
  scheduling.soft = in.flag();
  scheduling.labels = read_conditions(in);
  for (uint32_t left = std::min(in.number<uint32_t>(), kMostConditions); left > 0; --left) {
    scheduling.fallback.push_back(read_conditions(in));
  }
  return scheduling;
}

std::string encode(const ActorEntry& entry) {
  const ActorSpec& spec = entry.spec;
  RecordWriter out(kVersion);
  out.number(entry.index).text(spec.id).number(spec.job).number(spec.class_function);
  out.text(spec.name).text(spec.name_space);
  write(spec.resources, out);
  out.number(spec.max_restarts).number(spec.max_task_retries).number(spec.max_concurrency);
  out.flag(spec.detached).flag(spec.get_if_exists).text(spec.class_info);
  out.number(spec.language).text(spec.class_name);
  entry.node.write(out);
  out.number(entry.restarts);
  out.number(static_cast<uint8_t>(spec.role)).text(spec.public_id).text(spec.public_name);
  spec.home.write(out);
  write(spec.scheduling, out);
  return out.take();
}

Batch row(const ActorEntry& entry) {
  Batch batch;
  batch.put(ActorRegistry::kTable, entry.spec.id, encode(entry));
  return batch;
}

}  // namespace

Result<ActorEntry> ActorRegistry::decode(std::string_view bytes) {
  ActorEntry entry;
  ActorSpec& spec = entry.spec;
  RecordReader in(bytes, 1, kVersion);
  entry.index = in.number<uint32_t>();
  spec.id = in.text();
  spec.job = in.number<uint32_t>();
  spec.class_function = in.number<uint32_t>();
  spec.name = in.text();
  spec.name_space = in.text();
  spec.resources = read_resources(in);
  spec.max_restarts = in.number<int32_t>();
  spec.max_task_retries = in.number<int32_t>();
  spec.max_concurrency = in.number<uint32_t>();
  spec.detached = in.flag();
  spec.get_if_exists = in.flag();
  spec.class_info = in.text();
  spec.language = in.number<uint8_t>();
  spec.class_name = in.text();
  if (in.version() >= 2) {
    entry.node = NodeRef::read(in);
    entry.restarts = in.number<uint32_t>();
  }
  if (in.version() >= 3) {
    spec.role = static_cast<ActorSpec::Role>(in.number<uint8_t>());
    spec.public_id = in.text();
    spec.public_name = in.text();
    spec.home = NodeRef::read(in);
  }
  if (in.version() >= 4) {
    spec.scheduling = read_scheduling(in);
  }
  if (!in.done()) {
    return internal_error("a stored actor cannot be read");
  }
  return entry;
}

Result<void> ActorRegistry::load() {
  actors_.clear();
  names_.clear();
  std::optional<Error> bad;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    Result<ActorEntry> entry = decode(value);
    if (!entry.ok()) {
      bad = entry.error();
      return;
    }
    if (!entry->spec.name.empty()) {
      names_.emplace(NameKey{entry->spec.name_space, entry->spec.name}, entry->spec.id);
    }
    std::string id = entry->spec.id;
    actors_.emplace(std::move(id), *std::move(entry));
  }));
  return bad ? Result<void>(*bad) : Result<void>();
}

Result<void> ActorRegistry::add(const ActorSpec& spec, uint32_t index) {
  if (actors_.contains(spec.id)) {
    return {};
  }
  NameKey name{spec.name_space, spec.name};
  if (!spec.name.empty() && names_.contains(name)) {
    return already_exists_error("an actor named " + spec.name + " lives in namespace " + spec.name_space);
  }
  ActorEntry entry{spec, index};
  SABIR_RETURN_IF_ERROR(storage_->commit(row(entry)));
  if (!spec.name.empty()) {
    names_.emplace(std::move(name), spec.id);
  }
  actors_.emplace(spec.id, std::move(entry));
  return {};
}

Result<void> ActorRegistry::place(const std::string& id, const NodeRef& node, uint32_t index) {
  auto found = actors_.find(id);
  if (found == actors_.end()) {
    return not_found_error("no such actor");
  }
  ActorEntry placed = found->second;
  if (placed.node == node && placed.index == index) {
    return {};
  }
  placed.restarts += placed.node.none() ? 0 : 1;
  placed.node = node;
  placed.index = index;
  SABIR_RETURN_IF_ERROR(storage_->commit(row(placed)));
  found->second = std::move(placed);
  return {};
}

Result<void> ActorRegistry::release_name(const std::string& id) {
  auto found = actors_.find(id);
  if (found == actors_.end() || found->second.spec.name.empty()) {
    return {};
  }
  ActorEntry nameless = found->second;
  nameless.spec.name.clear();
  SABIR_RETURN_IF_ERROR(storage_->commit(row(nameless)));
  names_.erase(NameKey{found->second.spec.name_space, found->second.spec.name});
  found->second.spec.name.clear();
  return {};
}

Result<void> ActorRegistry::erase(const std::string& id) {
  auto found = actors_.find(id);
  if (found == actors_.end()) {
    return {};
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().erase(kTable, id)));
  if (!found->second.spec.name.empty()) {
    names_.erase(NameKey{found->second.spec.name_space, found->second.spec.name});
  }
  actors_.erase(found);
  return {};
}

const ActorEntry* ActorRegistry::find(const std::string& id) const {
  auto found = actors_.find(id);
  return found == actors_.end() ? nullptr : &found->second;
}

const ActorEntry* ActorRegistry::find_by_name(const std::string& name_space, const std::string& name) const {
  auto found = names_.find(NameKey{name_space, name});
  return found == names_.end() ? nullptr : find(found->second);
}

std::vector<const ActorEntry*> ActorRegistry::all() const {
  std::vector<const ActorEntry*> entries;
  for (const auto& [id, entry] : actors_) {
    entries.push_back(&entry);
  }
  return entries;
}

std::vector<const ActorEntry*> ActorRegistry::on_node(const NodeRef& node) const {
  std::vector<const ActorEntry*> entries;
  for (const auto& [id, entry] : actors_) {
    if (entry.node == node) {
      entries.push_back(&entry);
    }
  }
  return entries;
}

}  // namespace sabir::control
