#include "runtime/control/placement_groups.h"

#include <algorithm>
#include <optional>

#include "runtime/base/ids.h"

namespace sabir::control {
namespace {

constexpr uint8_t kVersion = 1;

std::string encode(const PlacementGroupRecord& group) {
  RecordWriter out(kVersion);
  out.text(group.id).text(group.name).text(group.name_space).number(group.job);
  out.number(static_cast<uint8_t>(group.strategy)).flag(group.detached).number(group.attempt).flag(group.removing);
  out.number(static_cast<uint32_t>(group.bundles.size()));
  for (const BundleRecord& bundle : group.bundles) {
    write(bundle.resources, out);
    write(bundle.labels, out);
    out.number(static_cast<uint8_t>(bundle.phase));
    bundle.node.write(out);
    out.number(bundle.attempt);
  }
  return out.take();
}

bool any(const PlacementGroupRecord& group, BundlePhase phase) {
  return std::any_of(group.bundles.begin(), group.bundles.end(),
                     [phase](const BundleRecord& bundle) { return bundle.phase == phase; });
}

void unplace(BundleRecord& bundle) {
  bundle.phase = BundlePhase::kUnplaced;
  bundle.node = {};
  bundle.attempt = 0;
}

}  // namespace

PlacementState PlacementGroupRecord::state() const {
  if (removing) {
    return PlacementState::kRemoving;
  }
  if (any(*this, BundlePhase::kPreparing)) {
    return PlacementState::kPreparing;
  }
  if (any(*this, BundlePhase::kPrepared)) {
    return PlacementState::kPrepared;
  }
  return any(*this, BundlePhase::kUnplaced) ? PlacementState::kPending : PlacementState::kCreated;
}

Result<PlacementGroupRecord> PlacementGroups::decode(std::string_view bytes) {
  RecordReader in(bytes, kVersion);
  PlacementGroupRecord group;
  group.id = in.text();
  group.name = in.text();
  group.name_space = in.text();
  group.job = in.number<uint32_t>();
  auto strategy = in.number<uint8_t>();
  group.strategy = static_cast<PlacementStrategy>(strategy);
  group.detached = in.flag();
  group.attempt = in.number<uint64_t>();
  group.removing = in.flag();
  bool good = strategy <= static_cast<uint8_t>(PlacementStrategy::kStrictSpread);
  for (auto left = in.number<uint32_t>(); left > 0 && in.ok() && good; --left) {
    BundleRecord bundle;
    bundle.resources = read_resources(in);
    bundle.labels = read_labels(in);
    auto phase = in.number<uint8_t>();
    bundle.phase = static_cast<BundlePhase>(phase);
    bundle.node = NodeRef::read(in);
    bundle.attempt = in.number<uint64_t>();
    good = phase <= static_cast<uint8_t>(BundlePhase::kCommitted);
    group.bundles.push_back(std::move(bundle));
  }
  if (!good || !in.done()) {
    return internal_error("a stored placement group cannot be read");
  }
  return group;
}

Result<void> PlacementGroups::load() {
  groups_.clear();
  names_.clear();
  std::optional<Error> bad;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    Result<PlacementGroupRecord> group = decode(value);
    if (!group.ok()) {
      bad = group.error();
      return;
    }
    if (!group->name.empty()) {
      names_.emplace(NameKey{group->name_space, group->name}, group->id);
    }
    std::string id = group->id;
    groups_.emplace(std::move(id), *std::move(group));
  }));
  return bad ? Result<void>(*bad) : Result<void>();
}

Result<void> PlacementGroups::store(PlacementGroupRecord group) {
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().put(kTable, group.id, encode(group))));
  std::string id = group.id;
  groups_.insert_or_assign(std::move(id), std::move(group));
  return {};
}

Result<void> PlacementGroups::add(PlacementGroupRecord group) {
  if (group.id.size() != IdBits::kSizeBytes) {
    return invalid_error("a placement group's id has 16 bytes");
  }
  if (groups_.contains(group.id)) {
    return {};
  }
  if (group.bundles.empty() || group.bundles.size() > kMaxBundles) {
    return invalid_error("a placement group has 1 to " + std::to_string(kMaxBundles) + " bundles");
  }
  if (group.name.size() > kMaxNameBytes || (!group.name.empty() && group.name_space.empty())) {
    return invalid_error("a placement group's name has at most " + std::to_string(kMaxNameBytes) +
                         " bytes, and a namespace");
  }
  for (BundleRecord& bundle : group.bundles) {
    if (bundle.resources.empty()) {
      return invalid_error("a bundle asks for at least one resource");
    }
    SABIR_RETURN_IF_ERROR(check(bundle.resources));
    SABIR_RETURN_IF_ERROR(check(bundle.labels));
    unplace(bundle);
  }
  NameKey name{group.name_space, group.name};
  if (!group.name.empty() && names_.contains(name)) {
    return already_exists_error("a placement group named " + group.name + " is in namespace " + group.name_space);
  }
  if (groups_.size() >= kMaxGroups) {
    return exhausted_error("already " + std::to_string(kMaxGroups) + " placement groups");
  }
  group.attempt = 0;
  group.removing = false;
  std::string id = group.id;
  bool named = !group.name.empty();
  SABIR_RETURN_IF_ERROR(store(std::move(group)));
  if (named) {
    names_.emplace(std::move(name), std::move(id));
  }
  return {};
}

Result<PlacementGroupRecord> PlacementGroups::living(const std::string& id) const {
  const PlacementGroupRecord* group = find(id);
  if (group == nullptr || group->removing) {
    return not_found_error("no such placement group");
  }
  return *group;
}

Result<uint64_t> PlacementGroups::prepare(const std::string& id, const Places& places) {
  SABIR_ASSIGN_OR_RETURN(PlacementGroupRecord group, living(id));
  if (any(group, BundlePhase::kPreparing) || any(group, BundlePhase::kPrepared)) {
    return invalid_error("an attempt to place the group is under way");
  }
  uint64_t attempt = ++group.attempt;
  for (const auto& [index, node] : places) {
    if (index >= group.bundles.size() || group.bundles[index].phase != BundlePhase::kUnplaced || node.none()) {
      return invalid_error("bundle " + std::to_string(index) + " is not there, or has its place");
    }
    group.bundles[index].phase = BundlePhase::kPreparing;
    group.bundles[index].node = node;
    group.bundles[index].attempt = attempt;
  }
  if (places.empty() || any(group, BundlePhase::kUnplaced)) {
    return invalid_error("an attempt places all bundles that have no place");
  }
  SABIR_RETURN_IF_ERROR(store(std::move(group)));
  return attempt;
}

Result<void> PlacementGroups::advance(const std::string& id, uint64_t attempt, BundlePhase from, BundlePhase to) {
  SABIR_ASSIGN_OR_RETURN(PlacementGroupRecord group, living(id));
  bool advances = false;
  bool said = false;  // before
  for (BundleRecord& bundle : group.bundles) {
    if (bundle.attempt == attempt) {
      advances = advances || bundle.phase == from;
      said = said || bundle.phase >= to;
      bundle.phase = std::max(bundle.phase, to);
    }
  }
  if (!advances && !said) {
    return invalid_error("attempt " + std::to_string(attempt) + " to place the group is over");
  }
  return advances ? store(std::move(group)) : Result<void>();
}

Result<void> PlacementGroups::prepared(const std::string& id, uint64_t attempt) {
  const PlacementGroupRecord* group = find(id);
  // A node that is gone took its bundles out of the attempt: what is left is no whole.
  if (group != nullptr && any(*group, BundlePhase::kPreparing) && any(*group, BundlePhase::kUnplaced)) {
    return invalid_error("the attempt to place the group lost a node");
  }
  return advance(id, attempt, BundlePhase::kPreparing, BundlePhase::kPrepared);
}

Result<void> PlacementGroups::committed(const std::string& id, uint64_t attempt) {
  return advance(id, attempt, BundlePhase::kPrepared, BundlePhase::kCommitted);
}

Result<void> PlacementGroups::undo(const std::string& id, uint64_t attempt) {
  const PlacementGroupRecord* known = find(id);
  if (known == nullptr) {
    return {};
  }
  PlacementGroupRecord group = *known;
  for (BundleRecord& bundle : group.bundles) {
    if (bundle.attempt == attempt && bundle.phase < BundlePhase::kCommitted) {
      unplace(bundle);
    }
  }
  return group == *known ? Result<void>() : store(std::move(group));
}

Result<std::vector<std::string>> PlacementGroups::lose(const NodeRef& node) {
  std::vector<std::string> ids;
  std::vector<PlacementGroupRecord> changed;
  Batch batch;
  for (const auto& [id, group] : groups_) {
    PlacementGroupRecord smaller = group;
    for (BundleRecord& bundle : smaller.bundles) {
      if (bundle.node == node && !node.none()) {
        unplace(bundle);
      }
    }
    if (smaller != group) {
      batch.put(kTable, id, encode(smaller));
      ids.push_back(id);
      changed.push_back(std::move(smaller));
    }
  }
  if (ids.empty()) {
    return ids;
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  for (PlacementGroupRecord& group : changed) {
    std::string id = group.id;
    groups_.insert_or_assign(std::move(id), std::move(group));
  }
  return ids;
}

Result<void> PlacementGroups::remove(const std::string& id) {
  const PlacementGroupRecord* known = find(id);
  if (known == nullptr || known->removing) {
    return {};
  }
  bool placed = std::any_of(known->bundles.begin(), known->bundles.end(),
                            [](const BundleRecord& bundle) { return bundle.phase != BundlePhase::kUnplaced; });
  if (!placed) {
    return erase(id);
  }
  PlacementGroupRecord group = *known;
  NameKey name{group.name_space, group.name};
  group.removing = true;
  group.name.clear();
  SABIR_RETURN_IF_ERROR(store(std::move(group)));
  names_.erase(name);
  return {};
}

Result<void> PlacementGroups::erase(const std::string& id) {
  auto found = groups_.find(id);
  if (found == groups_.end()) {
    return {};
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().erase(kTable, id)));
  if (!found->second.name.empty()) {
    names_.erase(NameKey{found->second.name_space, found->second.name});
  }
  groups_.erase(found);
  return {};
}

const PlacementGroupRecord* PlacementGroups::find(const std::string& id) const {
  auto found = groups_.find(id);
  return found == groups_.end() ? nullptr : &found->second;
}

const PlacementGroupRecord* PlacementGroups::find_by_name(const std::string& name_space,
                                                          const std::string& name) const {
  auto found = names_.find(NameKey{name_space, name});
  return found == names_.end() ? nullptr : find(found->second);
}

std::vector<const PlacementGroupRecord*> PlacementGroups::all() const {
  std::vector<const PlacementGroupRecord*> groups;
  for (const auto& [id, group] : groups_) {
    groups.push_back(&group);
  }
  return groups;
}

std::vector<std::string> PlacementGroups::of_job(uint32_t job) const {
  std::vector<std::string> ids;
  for (const auto& [id, group] : groups_) {
    if (group.job == job && !group.detached && !group.removing) {
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<const PlacementGroupRecord*> PlacementGroups::half_made() const {
  std::vector<const PlacementGroupRecord*> groups;
  for (const auto& [id, group] : groups_) {
    PlacementState state = group.state();
    if (state != PlacementState::kPending && state != PlacementState::kCreated) {
      groups.push_back(&group);
    }
  }
  return groups;
}

}  // namespace sabir::control
