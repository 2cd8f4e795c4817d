#include "runtime/node/cluster/borrow_owner.h"

#include <limits>
#include <utility>

namespace sabir::node {

using Kind = BorrowRequest::Kind;
using Outcome = BorrowAnswer::Outcome;

BorrowOwner::BorrowOwner(const ClusterView* view, Options options) : view_(view), options_(std::move(options)) {}

// --- objects

BorrowOwner::Object& BorrowOwner::begin_use(const ObjectName& object, BorrowInstructions& out) {
  auto [found, is_new] = objects_.try_emplace(object);
  if (is_new) {
    out.emplace_back(HoldForCluster{object.ref()});
  }
  return found->second;
}

void BorrowOwner::end_use(const ObjectName& object, BorrowInstructions& out) {
  auto found = objects_.find(object);
  SABIR_CHECK(found != objects_.end());
  if (found->second.retained == 0 && found->second.borrowers == 0) {
    objects_.erase(found);
    out.emplace_back(UnholdForCluster{object.ref()});
  }
}

bool BorrowOwner::is_there(shm::EntryRef object) const {
  return objects_.contains(name_of(object)) || options_.exists(object);
}

Result<void> BorrowOwner::retain(shm::EntryRef object, BorrowInstructions& out) {
  ObjectName name = name_of(object);
  if (!is_there(object)) {
    return not_found_error("no object " + std::to_string(object.entry) + " of generation " +
                           std::to_string(object.generation));
  }
  ++begin_use(name, out).retained;
  return {};
}

void BorrowOwner::drop(shm::EntryRef object, BorrowInstructions& out) {
  ObjectName name = name_of(object);
  auto found = objects_.find(name);
  SABIR_CHECK(found != objects_.end() && found->second.retained > 0, "entry=", object.entry);
  --found->second.retained;
  end_use(name, out);
}

// --- requests

Result<void> BorrowOwner::check_form(const BorrowRequest& request) {
  bool known_kind = request.kind == Kind::kRegister || request.kind == Kind::kRelease;
  if (!known_kind || request.object.owner != request.to) {
    return invalid_error("a request about an object that is not its receiver's");
  }
  if (request.lowest_open == 0 || request.id < request.lowest_open ||
      request.id - request.lowest_open >= kRequestWindow) {
    return invalid_error("request " + std::to_string(request.id) + " with the lowest open one " +
                         std::to_string(request.lowest_open));
  }
  if (request.kind == Kind::kRelease && request.count == 0) {
    return invalid_error("a release of nothing");
  }
  return {};
}

Result<void> BorrowOwner::request(const BorrowRequest& request, BorrowInstructions& out) {
  if (request.to != view_->self() || view_->standing(request.from) != ClusterView::Standing::kLive) {
    ++counters_.stale;
    return {};
  }
  Result<void> form = check_form(request);
  if (!form.ok()) {
    return form;
  }
  Borrower& borrower = borrowers_[request.from];
  if (request.lowest_open > borrower.lowest_open) {
    borrower.lowest_open = request.lowest_open;
    borrower.answered.erase(borrower.answered.begin(), borrower.answered.lower_bound(borrower.lowest_open));
  }
  if (request.id < borrower.lowest_open) {
    ++counters_.stale;  // a late copy: its sender has had the answer
    return {};
  }
  BorrowAnswer answer{.from = view_->self(), .to = request.from, .id = request.id};
  auto done = borrower.answered.find(request.id);
  if (done != borrower.answered.end()) {
    ++counters_.repeated;
    answer.outcome = done->second;
    out.emplace_back(SendAnswer{answer});
    return {};
  }
  if (request.kind == Kind::kRegister) {
    if (registrations(request.from, request.object.ref()) == std::numeric_limits<uint32_t>::max()) {
      return invalid_error("node " + std::to_string(request.from) + " registers without end");
    }
    answer.outcome = register_for(borrower, request, out);
  } else {
    auto count = borrower.counts.find(request.object);
    if (count == borrower.counts.end() || count->second < request.count) {
      return invalid_error("node " + std::to_string(request.from) + " releases what it does not hold");
    }
    release(borrower, request, out);
  }
  borrower.answered.emplace(request.id, answer.outcome);
  out.emplace_back(SendAnswer{answer});
  return {};
}

Outcome BorrowOwner::register_for(Borrower& borrower, const BorrowRequest& request, BorrowInstructions& out) {
  // Whether it exists, not whether it is lent just now (F4): a borrower whose registration is late may have got the
  // reference anew meanwhile.
  if (!is_there(request.object.ref())) {
    ++counters_.gone;
    return Outcome::kGone;
  }
  Object& object = begin_use(request.object, out);
  uint32_t& count = borrower.counts[request.object];
  object.borrowers += count == 0 ? 1 : 0;
  ++count;
  ++counters_.registered;
  return Outcome::kHeld;
}

void BorrowOwner::release(Borrower& borrower, const BorrowRequest& request, BorrowInstructions& out) {
  auto count = borrower.counts.find(request.object);
  count->second -= request.count;
  counters_.released += request.count;
  if (count->second == 0) {
    borrower.counts.erase(count);
    --objects_.at(request.object).borrowers;
    end_use(request.object, out);
  }
}

void BorrowOwner::node_settled(Incarnation node, BorrowInstructions& out) {
  SABIR_CHECK(view_->standing(node) == ClusterView::Standing::kDead, "node=", node);
  auto found = borrowers_.find(node);
  if (found == borrowers_.end()) {
    return;
  }
  auto counts = std::move(found->second.counts);
  borrowers_.erase(found);
  for (const auto& [object, count] : counts) {
    --objects_.at(object).borrowers;
    end_use(object, out);
  }
}

// --- for people and tests

uint32_t BorrowOwner::registrations(Incarnation node, shm::EntryRef object) const {
  auto borrower = borrowers_.find(node);
  if (borrower == borrowers_.end()) {
    return 0;
  }
  auto count = borrower->second.counts.find(name_of(object));
  return count == borrower->second.counts.end() ? 0 : count->second;
}

std::string BorrowOwner::check_invariants() const {
  std::unordered_map<ObjectName, uint32_t> borrowers;
  for (const auto& [node, borrower] : borrowers_) {
    if (borrower.answered.size() > kRequestWindow ||
        (!borrower.answered.empty() && borrower.answered.begin()->first < borrower.lowest_open)) {
      return "answers outside of the window of node " + std::to_string(node);
    }
    for (const auto& [object, count] : borrower.counts) {
      if (count == 0 || !objects_.contains(object)) {
        return "node " + std::to_string(node) + " counts for an object that is not in use";
      }
      ++borrowers[object];
    }
  }
  for (const auto& [name, object] : objects_) {
    auto counted = borrowers.find(name);
    if (object.borrowers != (counted == borrowers.end() ? 0 : counted->second)) {
      return "an object with " + std::to_string(object.borrowers) + " borrowers has other counts";
    }
    if (object.borrowers == 0 && object.retained == 0) {
      return "an object that nobody uses";
    }
  }
  return {};
}

}  // namespace sabir::node
