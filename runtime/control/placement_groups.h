// The persistent part of placement groups: what was asked for, and which bundle lies on which node. Who decides where
// bundles go stands above it and writes each step down before it is taken, so that a control store that was killed in
// between knows what nodes may have done:
//
//   kUnplaced --prepare()--> kPreparing --prepared()--> kPrepared --committed()--> kCommitted
//                 nodes are asked to        the decision: nodes      all nodes have
//                 reserve                   are told to keep it      confirmed it
//
// After a restart half_made() tells what to finish: an attempt that was preparing is undone (nodes drop reservations
// that nobody commits), one that was prepared is committed again, a group that was being removed is removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/node_ref.h"
#include "runtime/control/resource_amount.h"
#include "runtime/control/storage.h"

namespace sabir::control {

enum class PlacementStrategy : uint8_t { kPack = 0, kSpread = 1, kStrictPack = 2, kStrictSpread = 3 };

enum class BundlePhase : uint8_t { kUnplaced = 0, kPreparing = 1, kPrepared = 2, kCommitted = 3 };

struct BundleRecord {
  ResourceAmounts resources;
  Labels labels;  // what it asks of its node's
  BundlePhase phase = BundlePhase::kUnplaced;
  NodeRef node;          // none while unplaced
  uint64_t attempt = 0;  // that placed it
  bool operator==(const BundleRecord&) const = default;
};

enum class PlacementState : uint8_t {
  kPending,    // some bundle has no place, and no attempt is under way
  kPreparing,  // an attempt is under way
  kPrepared,   // decided, not yet confirmed by all nodes
  kCreated,    // all bundles are committed
  kRemoving,   // nodes may still hold bundles
};

struct PlacementGroupRecord {
  std::string id;  // 16 bytes, by the caller
  std::string name;
  std::string name_space;  // effective: never empty if there is a name
  uint32_t job = 0;        // with which it ends, unless detached
  PlacementStrategy strategy = PlacementStrategy::kPack;
  bool detached = false;
  std::vector<BundleRecord> bundles;
  uint64_t attempt = 0;  // the last one
  bool removing = false;
  PlacementState state() const;
  bool operator==(const PlacementGroupRecord&) const = default;
};

class PlacementGroups {
 public:
  static constexpr std::string_view kTable = "placement_groups";
  static constexpr size_t kMaxGroups = 1 << 16;
  static constexpr size_t kMaxBundles = 1'024;

  using Places = std::vector<std::pair<uint32_t, NodeRef>>;  // by bundle's index

  explicit PlacementGroups(Storage* storage) : storage_(storage) {}
  Result<void> load();
  // Of a row of the table. kInternal: it cannot be read.
  static Result<PlacementGroupRecord> decode(std::string_view bytes);

  // Bundles' places are ignored. The same id again: fine, nothing changes. kAlreadyExists: a group has the name.
  // kInvalid. kExhausted: kMaxGroups.
  Result<void> add(PlacementGroupRecord group);
  // An attempt to place all unplaced bundles: its number, to be said with the following. kInvalid: one is under way, or
  // these are not the unplaced bundles. kNotFound: no such group, or it is being removed.
  Result<uint64_t> prepare(const std::string& id, const Places& places);
  // Idempotent. kInvalid: the attempt is over: another one followed, it was undone, or (prepared) it lost a node.
  Result<void> prepared(const std::string& id, uint64_t attempt);
  Result<void> committed(const std::string& id, uint64_t attempt);
  // The attempt's bundles are unplaced again. Of an attempt that is over or was never made: fine.
  Result<void> undo(const std::string& id, uint64_t attempt);
  // The node is gone: its bundles are unplaced. The groups that lost one.
  Result<std::vector<std::string>> lose(const NodeRef& node);
  // Frees the name; erase() follows when no node holds a bundle. One without places is erased at once. Idempotent.
  Result<void> remove(const std::string& id);
  Result<void> erase(const std::string& id);

  const PlacementGroupRecord* find(const std::string& id) const;
  const PlacementGroupRecord* find_by_name(const std::string& name_space, const std::string& name) const;
  std::vector<const PlacementGroupRecord*> all() const;
  // What ends with a job.
  std::vector<std::string> of_job(uint32_t job) const;
  // In state kPreparing, kPrepared or kRemoving.
  std::vector<const PlacementGroupRecord*> half_made() const;

 private:
  using NameKey = std::pair<std::string, std::string>;  // namespace, name

  Result<void> store(PlacementGroupRecord group);
  Result<PlacementGroupRecord> living(const std::string& id) const;
  Result<void> advance(const std::string& id, uint64_t attempt, BundlePhase from, BundlePhase to);

  Storage* const storage_;
  std::map<std::string, PlacementGroupRecord> groups_;
  std::map<NameKey, std::string> names_;
};

}  // namespace sabir::control
