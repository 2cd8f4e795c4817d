#include "runtime/node/cluster/borrowing.h"

#include <algorithm>
#include <utility>

namespace sabir::node {

Borrowing::Borrowing(Incarnation self, const control::NodeLogSnapshot& joined_at, BorrowOwner::Options owner,
                     BorrowClient::Options client, const Clock* clock)
    : view_(self, joined_at), owner_(&view_, std::move(owner)), client_(&view_, client, clock), lends_(&view_) {}

// --- the log of nodes

Result<void> Borrowing::log_entry(const control::NodeLogEntry& entry, BorrowInstructions& out) {
  Result<ClusterView::Changes> changes = view_.apply(entry);
  if (!changes.ok()) {
    return std::move(changes).error();
  }
  tell(*changes, entry.died, out);
  return {};
}

Result<void> Borrowing::log_snapshot(const control::NodeLogSnapshot& snapshot, BorrowInstructions& out) {
  Result<ClusterView::Changes> changes = view_.apply(snapshot);
  if (!changes.ok()) {
    return std::move(changes).error();
  }
  tell(*changes, true, out);
  return deaths_settled(snapshot.settled, out);
}

void Borrowing::tell(const ClusterView::Changes& changes, bool deaths, BorrowInstructions& out) {
  for (Incarnation node : changes.died) {
    client_.node_died(node, out);
  }
  client_.view_moved(deaths, out);
}

Result<void> Borrowing::deaths_settled(LogPosition position, BorrowInstructions& out) {
  Result<ClusterView::Changes> changes = view_.settle(position);
  if (!changes.ok()) {
    return std::move(changes).error();
  }
  for (Incarnation node : changes->settled) {
    owner_.node_settled(node, out);
    for (const ObjectName& object : lends_.node_settled(node)) {
      drop(object, out);
    }
  }
  return {};
}

// --- carriers

Result<void> Borrowing::retain(const ObjectName& object, BorrowInstructions& out) {
  return object.owner == view_.self() ? owner_.retain(object.ref(), out) : client_.lend(object, out);
}

void Borrowing::drop(const ObjectName& object, BorrowInstructions& out) {
  if (object.owner == view_.self()) {
    owner_.drop(object.ref(), out);
  } else {
    client_.unlend(object, out);
  }
}

Result<void> Borrowing::lend(uint64_t number, Incarnation receiver, std::vector<ObjectName> references,
                             BorrowInstructions& out) {
  Result<void> noted = lends_.lend(number, receiver, references);
  if (!noted.ok()) {
    return noted;
  }
  for (size_t i = 0; i < references.size(); ++i) {
    Result<void> retained = retain(references[i], out);
    if (!retained.ok()) {
      lends_.done(number, receiver);
      for (size_t j = 0; j < i; ++j) {
        drop(references[j], out);
      }
      return retained;
    }
  }
  return {};
}

void Borrowing::lent_done(uint64_t number, Incarnation receiver, BorrowInstructions& out) {
  for (const ObjectName& object : lends_.done(number, receiver)) {
    drop(object, out);
  }
}

Result<void> Borrowing::arrive(CarrierId carrier, std::vector<ObjectName> references, BorrowInstructions& out) {
  std::ranges::sort(references);
  references.erase(std::ranges::unique(references).begin(), references.end());
  auto others = std::ranges::partition(references, [this](const auto& object) { return object.owner == view_.self(); });
  std::vector<ObjectName> borrowed(others.begin(), others.end());
  references.erase(others.begin(), others.end());

  Result<void> arrived = client_.arrive(carrier, std::move(borrowed), out);
  if (!arrived.ok()) {
    return arrived;
  }
  std::erase_if(references, [&](const ObjectName& object) {
    bool is_there = owner_.retain(object.ref(), out).ok();
    if (!is_there) {
      out.emplace_back(ObjectLost{object, LossReason::kUnknownToOwner});
    }
    return !is_there;
  });
  came_home_.emplace(carrier, std::move(references));
  return {};
}

void Borrowing::finish(CarrierId carrier, BorrowInstructions& out) {
  auto own = came_home_.extract(carrier);
  client_.finish(carrier, out);
  if (!own.empty()) {
    for (const ObjectName& object : own.mapped()) {
      drop(object, out);
    }
  }
}

std::string Borrowing::check_invariants() const {
  std::string wrong = owner_.check_invariants();
  return wrong.empty() ? client_.check_invariants() : wrong;
}

}  // namespace sabir::node
