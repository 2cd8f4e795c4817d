#include "runtime/control/nodes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/base/hex.h"
#include "runtime/base/ids.h"

namespace sabir::control {
namespace {

constexpr std::string_view kLastTable = "nodes.last";  // the last incarnation, whatever was forgotten
constexpr uint8_t kVersion = 2;                        // 2: fingerprint, name, drain_until
constexpr uint8_t kOldest = 1;
constexpr uint8_t kLastVersion = 1;  // of the last incarnation
constexpr size_t kMaxAddressBytes = 300;
constexpr size_t kFingerprintBytes = 32;

std::string encode(const NodeRecord& record) {
  RecordWriter out(kVersion);
  out.text(record.spec.id).text(record.spec.start_id).text(record.spec.address);
  write(record.spec.resources, out);
  write(record.spec.labels, out);
  out.number(record.incarnation).number(static_cast<uint8_t>(record.state)).text(record.reason);
  out.text(record.spec.fingerprint).text(record.spec.name).number(record.drain_until_unix_ms);
  return out.take();
}

Error fenced(const NodeRef& node, const std::string& why) {
  return disconnected_error("node " + to_hex(node.id) + " of incarnation " + std::to_string(node.incarnation) +
                            " is fenced: " + why + "; it must end its workers and register anew");
}

std::string cut(const std::string& reason) { return reason.substr(0, Nodes::kMaxReasonBytes); }

}  // namespace

Result<NodeRecord> Nodes::decode(std::string_view bytes) {
  RecordReader in(bytes, kOldest, kVersion);
  NodeRecord record;
  record.spec.id = in.text();
  record.spec.start_id = in.text();
  record.spec.address = in.text();
  record.spec.resources = read_resources(in);
  record.spec.labels = read_labels(in);
  record.incarnation = in.number<uint64_t>();
  auto state = in.number<uint8_t>();
  record.state = static_cast<NodeState>(state);
  record.reason = in.text();
  if (in.version() > 1) {
    record.spec.fingerprint = in.text();
    record.spec.name = in.text();
    record.drain_until_unix_ms = in.number<int64_t>();
  }
  if (!in.done() || state > static_cast<uint8_t>(NodeState::kDead)) {
    return internal_error("a stored node cannot be read");
  }
  return record;
}

Result<void> Nodes::load() {
  nodes_.clear();
  dead_.clear();
  last_incarnation_ = 0;
  std::optional<Error> bad;
  SABIR_RETURN_IF_ERROR(storage_->scan(kTable, [&](std::string_view, std::string_view value) {
    Result<NodeRecord> record = decode(value);
    if (!record.ok()) {
      bad = record.error();
      return;
    }
    last_incarnation_ = std::max(last_incarnation_, record->incarnation);
    if (record->state == NodeState::kDead) {
      dead_.emplace(record->incarnation, record->spec.id);
    }
    std::string id = record->spec.id;
    nodes_.emplace(std::move(id), *std::move(record));
  }));
  SABIR_RETURN_IF_ERROR(storage_->scan(kLastTable, [&](std::string_view, std::string_view value) {
    RecordReader in(value, kLastVersion);
    last_incarnation_ = std::max(last_incarnation_, in.number<uint64_t>());
    if (!in.done()) {
      bad = internal_error("the stored nodes cannot be read");
    }
  }));
  return bad ? Result<void>(*bad) : Result<void>();
}

Result<void> Nodes::store(NodeRecord record) {
  Batch batch;
  batch.put(kTable, record.spec.id, encode(record));
  bool is_new = record.incarnation > last_incarnation_;
  if (is_new) {
    batch.put(kLastTable, "", RecordWriter(kLastVersion).number(record.incarnation).take());
  }
  bool dies = record.state == NodeState::kDead;
  bool forgets = dies && dead_.size() >= kMaxDead;
  if (forgets) {
    batch.erase(kTable, dead_.begin()->second);
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(batch));
  if (forgets) {
    nodes_.erase(dead_.begin()->second);
    dead_.erase(dead_.begin());
  }
  if (dies) {
    dead_.emplace(record.incarnation, record.spec.id);
  }
  last_incarnation_ = std::max(last_incarnation_, record.incarnation);
  std::string id = record.spec.id;
  if (auto before = nodes_.find(id); is_new && before != nodes_.end()) {
    dead_.erase(before->second.incarnation);
  }
  nodes_.insert_or_assign(std::move(id), std::move(record));
  return {};
}

Result<uint64_t> Nodes::register_node(const NodeSpec& spec, uint64_t known_incarnation) {
  if (spec.id.size() != IdBits::kSizeBytes || spec.start_id.size() != IdBits::kSizeBytes) {
    return invalid_error("a node's id and the id of its start have 16 bytes");
  }
  if (spec.address.empty() || spec.address.size() > kMaxAddressBytes) {
    return invalid_error("a node's address has 1 to " + std::to_string(kMaxAddressBytes) + " bytes");
  }
  if (spec.name.size() > kMaxNameBytes || (!spec.fingerprint.empty() && spec.fingerprint.size() != kFingerprintBytes)) {
    return invalid_error("a node's name has at most " + std::to_string(kMaxNameBytes) + " bytes, its fingerprint " +
                         std::to_string(kFingerprintBytes));
  }
  SABIR_RETURN_IF_ERROR(control::check(spec.resources));
  SABIR_RETURN_IF_ERROR(control::check(spec.labels));
  const NodeRecord* known = find(spec.id);
  if (known_incarnation != 0) {
    SABIR_RETURN_IF_ERROR(check({spec.id, known_incarnation}));
  }
  if (known != nullptr && known->spec.start_id == spec.start_id) {
    SABIR_RETURN_IF_ERROR(check(known->ref()));
    if (known->spec != spec) {
      NodeRecord renewed = *known;
      renewed.spec = spec;
      SABIR_RETURN_IF_ERROR(store(std::move(renewed)));
    }
    return find(spec.id)->incarnation;
  }
  if (known != nullptr && known->state != NodeState::kDead) {
    return already_exists_error("a node with the id " + to_hex(spec.id) + " lives at " + known->spec.address +
                                ": each node needs an id of its own");
  }
  if (nodes_.size() - dead_.size() >= kMaxLiving) {
    return exhausted_error("the cluster has " + std::to_string(kMaxLiving) + " nodes already");
  }
  NodeRecord record;
  record.spec = spec;
  record.incarnation = last_incarnation_ + 1;
  uint64_t incarnation = record.incarnation;
  SABIR_RETURN_IF_ERROR(store(std::move(record)));
  return incarnation;
}

Result<void> Nodes::drain(const NodeRef& node, const std::string& reason, int64_t until_unix_ms) {
  SABIR_RETURN_IF_ERROR(check(node));
  NodeRecord record = nodes_.at(node.id);
  if (record.state == NodeState::kDraining && record.drain_until_unix_ms == until_unix_ms) {
    return {};
  }
  if (record.state != NodeState::kDraining) {
    record.reason = cut(reason);
  }
  record.state = NodeState::kDraining;
  record.drain_until_unix_ms = until_unix_ms;
  return store(std::move(record));
}

Result<void> Nodes::declare_dead(const NodeRef& node, const std::string& reason) {
  Result<void> lives = check(node);
  if (!lives.ok()) {
    return lives.error().kind() == ErrorKind::kDisconnected ? Result<void>() : std::move(lives);
  }
  NodeRecord record = nodes_.at(node.id);
  record.state = NodeState::kDead;
  record.reason = cut(reason);
  return store(std::move(record));
}

Result<void> Nodes::check(const NodeRef& node) const {
  const NodeRecord* known = find(node.id);
  if (node.incarnation == 0 || node.incarnation > last_incarnation_ ||
      (known != nullptr && node.incarnation > known->incarnation)) {
    return not_found_error("node " + to_hex(node.id) + " never registered with incarnation " +
                           std::to_string(node.incarnation));
  }
  if (known == nullptr) {
    return fenced(node, "it was declared dead long ago");
  }
  if (node.incarnation < known->incarnation) {
    return fenced(node, "it lives again as incarnation " + std::to_string(known->incarnation));
  }
  if (known->state == NodeState::kDead) {
    return fenced(node, "it was declared dead (" + known->reason + ")");
  }
  return {};
}

const NodeRecord* Nodes::find(const std::string& id) const {
  auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second;
}

std::vector<const NodeRecord*> Nodes::all() const {
  std::vector<const NodeRecord*> records;
  for (const auto& [id, record] : nodes_) {
    records.push_back(&record);
  }
  return records;
}

}  // namespace sabir::control
