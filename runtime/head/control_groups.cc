#include "runtime/head/control_groups.h"

#include <algorithm>
#include <utility>

#include "runtime/node/cluster/group_record.h"

namespace sabir::head {

using cluster::GroupChange;
using cluster::GroupRecord;
using cluster::GroupRequest;
using cluster::NodeKey;

namespace {

// After a refusal: the disk is full, and stays so for a while.
constexpr int64_t kLoadAgainNs = 250 * kMillisecondNs;

}  // namespace

ControlGroups::ControlGroups(control::ControlStore* store, control::Transactor* requests, uint64_t epoch,
                             cluster::ResourceView* view, const Clock* clock, Logger logger,
                             cluster::GroupCoordinator::Send send)
    : store_(*store),
      requests_(*requests),
      clock_(*clock),
      logger_(std::move(logger)),
      send_(std::move(send)),
      coordinator_(epoch, cluster::GroupOptions{}, view, clock, epoch, this, send_) {}

void ControlGroups::load() {
  std::vector<GroupRecord> records;
  Result<void> read = store_.placement_groups().scan([&](std::string_view, std::string_view bytes) {
    Result<GroupRecord> record = cluster::decode_group(bytes);
    if (record.ok()) {
      records.push_back(*std::move(record));
    } else {
      logger_.error("a placement group is left out: ", record.error().message());  // its row stays
    }
  });
  if (!read.ok()) {
    logger_.error("placement groups cannot be read: ", read.error().to_string());
  }
  coordinator_.load(std::move(records));
}

void ControlGroups::receive(const NodeKey& from, const cluster::GroupMessage& message) {
  if (load_due_ns_) {
    return;
  }
  auto* request = std::get_if<GroupRequest>(&message);
  bool changes = request != nullptr &&
                 (request->kind == GroupRequest::Kind::kCreate || request->kind == GroupRequest::Kind::kRemove);
  if (std::optional<Error> refusal = changes ? requests_.would_refuse() : std::nullopt) {
    return send_(from, cluster::GroupAnswer{.number = request->number, .failure = std::move(refusal)});
  }
  coordinator_.on_message(from, message);
}

void ControlGroups::node_added() {
  if (!load_due_ns_) {
    coordinator_.node_added();
  }
}

void ControlGroups::node_gone(const NodeKey& node) {
  if (!load_due_ns_) {  // else load() sees it
    coordinator_.node_gone(node);
  }
}

void ControlGroups::tick() {
  if (!load_due_ns_) {
    coordinator_.tick();
    return;
  }
  if (loading_ || *load_due_ns_ > clock_.now_ns()) {
    return;
  }
  // Answered when everything before is on the disk, or refused: what is read then is there.
  loading_ = true;
  requests_.read([] { return std::string(); },
                 [this](const Result<std::string>& done) {
                   loading_ = false;
                   if (done.ok()) {
                     load_due_ns_.reset();
                     load();
                   } else {
                     load_due_ns_ = clock_.now_ns() + kLoadAgainNs;
                   }
                 });
}

std::optional<int64_t> ControlGroups::next_wake_ns() const {
  if (load_due_ns_) {
    return loading_ ? std::nullopt : load_due_ns_;
  }
  return coordinator_.next_wake_ns();
}

// --- The records

Result<std::string> ControlGroups::write(const std::vector<GroupChange>& changes) {
  for (const GroupChange& change : changes) {
    std::string_view key = change.group.bits().view();
    if (change.record) {
      SABIR_RETURN_IF_ERROR(store_.placement_groups().put(key, cluster::encode_group(*change.record)));
    } else {
      SABIR_RETURN_IF_ERROR(store_.placement_groups().erase(key));
    }
  }
  return std::string();
}

void ControlGroups::commit(std::vector<GroupChange> changes, std::function<void()> durable) {
  if (load_due_ns_) {
    return;  // it follows one that was refused
  }
  requests_.change([this, changes = std::move(changes)] { return write(changes); },
                   [this, attempt = attempt_, durable = std::move(durable)](const Result<std::string>& done) {
                     if (attempt != attempt_) {
                       return;
                     }
                     if (done.ok()) {
                       durable();
                     } else {
                       refused(done.error());
                     }
                   });
}

void ControlGroups::refused(const Error& error) {
  ++attempt_;
  load_due_ns_ = clock_.now_ns() + kLoadAgainNs;
  logger_.warning("placement groups wait for the control store's disk: ", error.message());
}

}  // namespace sabir::head
