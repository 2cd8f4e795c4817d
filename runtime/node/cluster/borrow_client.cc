#include "runtime/node/cluster/borrow_client.h"

#include <utility>

namespace sabir::node {

using Standing = ClusterView::Standing;

BorrowClient::BorrowClient(const ClusterView* view, Options options, const Clock* clock)
    : view_(view), options_(options), clock_(clock), acknowledged_(view->position()) {
  SABIR_CHECK(options_.window > 0 && options_.window <= kRequestWindow);
}

// --- objects

BorrowClient::Borrowed* BorrowClient::find(const ObjectName& object) {
  return const_cast<Borrowed*>(std::as_const(*this).find(object));
}

const BorrowClient::Borrowed* BorrowClient::find(const ObjectName& object) const {
  auto owner = owners_.find(object.owner);
  if (owner == owners_.end()) {
    return nullptr;
  }
  auto found = owner->second.objects.find(object);
  return found == owner->second.objects.end() ? nullptr : &found->second;
}

BorrowClient::Borrowed& BorrowClient::reached_object(const ObjectName& object) {
  Borrowed* borrowed = find(object);
  SABIR_CHECK(borrowed != nullptr && borrowed->reached(), "owner=", object.owner, " entry=", object.entry);
  return *borrowed;
}

// Something has begun that may need a registration.
void BorrowClient::look(const ObjectName& object, BorrowInstructions& out) {
  Borrowed& borrowed = reached_object(object);
  if (borrowed.must_register() && !borrowed.registering) {
    enqueue(object, borrowed, out);
  }
}

// Something has ended: carriers need not wait for what nobody keeps, and what nobody reaches is released.
void BorrowClient::let_go(const ObjectName& object, BorrowInstructions& out) {
  Borrowed* borrowed = find(object);
  SABIR_CHECK(borrowed != nullptr);
  if (!borrowed->kept() && !borrowed->awaiting.empty()) {
    resolve(object, out);
    return;
  }
  if (borrowed->orphaned == 0) {
    orphans_.erase(object);
  }
  if (borrowed->reached() || borrowed->registering || borrowed->queued) {
    return;  // an open Register is released when it is answered, a queued object when its turn comes
  }
  if (borrowed->registered > 0 && !borrowed->lost) {
    enqueue(object, *borrowed, out);
  } else {
    owners_.at(object.owner).objects.erase(object);
  }
}

// Those who waited for this object need not any more: it is registered, or lost, or nobody keeps it.
void BorrowClient::resolve(const ObjectName& object, BorrowInstructions& out) {
  Borrowed* borrowed = find(object);
  SABIR_CHECK(borrowed != nullptr);
  if (!borrowed->must_register()) {
    orphans_.erase(object);
  }
  for (CarrierId carrier : std::exchange(borrowed->awaiting, {})) {
    carrier_ready(carrier, out);
  }
  if (find(object) != nullptr) {
    let_go(object, out);
  }
}

Result<void> BorrowClient::hold(const ObjectName& object, BorrowInstructions& out) {
  Borrowed* borrowed = find(object);
  if (borrowed == nullptr || !borrowed->reached()) {
    return not_found_error("no reference to object " + std::to_string(object.entry) + " of node " +
                           std::to_string(object.owner) + " is here");
  }
  ++borrowed->held;
  look(object, out);
  return {};
}

void BorrowClient::unhold(const ObjectName& object, BorrowInstructions& out) {
  Borrowed& borrowed = reached_object(object);
  SABIR_CHECK(borrowed.held > 0, "entry=", object.entry);
  --borrowed.held;
  let_go(object, out);
  acknowledge(out);
}

Result<void> BorrowClient::lend(const ObjectName& object, BorrowInstructions& out) {
  Borrowed* borrowed = find(object);
  if (borrowed == nullptr || !borrowed->reached()) {
    return not_found_error("no reference to object " + std::to_string(object.entry) + " of node " +
                           std::to_string(object.owner) + " is here");
  }
  ++borrowed->lent;
  look(object, out);
  return {};
}

void BorrowClient::unlend(const ObjectName& object, BorrowInstructions& out) {
  Borrowed& borrowed = reached_object(object);
  SABIR_CHECK(borrowed.lent > 0, "entry=", object.entry);
  --borrowed.lent;
  let_go(object, out);
  acknowledge(out);
}

// --- carriers

Result<void> BorrowClient::arrive(CarrierId carrier, std::vector<ObjectName> references, BorrowInstructions& out) {
  switch (view_->standing(carrier.lender)) {
    case Standing::kLive:
      break;
    case Standing::kSelf:
      return invalid_error("a node does not borrow from itself");
    case Standing::kDead:
      return disconnected_error("node " + std::to_string(carrier.lender) + " was declared dead");
    case Standing::kNotYet:
      return not_found_error("node " + std::to_string(carrier.lender) + " is not known yet");
  }
  auto [found, is_new] = carriers_.try_emplace(carrier);
  if (!is_new) {
    return already_exists_error("carrier " + std::to_string(carrier.number));
  }
  for (const ObjectName& object : references) {
    SABIR_CHECK(object.owner != view_->self());
    Owner& owner = owners_[object.owner];
    owner.dead = owner.dead || view_->standing(object.owner) == Standing::kDead;
    auto [borrowed, is_first] = owner.objects.try_emplace(object);
    if (is_first && owner.dead) {
      borrowed->second.lost = true;
      out.emplace_back(ObjectLost{object, LossReason::kOwnerDied});
    }
    ++borrowed->second.carried;
  }
  found->second.references = std::move(references);
  return {};
}

void BorrowClient::finish(CarrierId id, BorrowInstructions& out) {
  auto found = carriers_.find(id);
  SABIR_CHECK(found != carriers_.end() && !found->second.finishing, "lender=", id.lender, " number=", id.number);
  Carrier& carrier = found->second;
  carrier.finishing = true;
  for (const ObjectName& object : carrier.references) {
    Borrowed& borrowed = reached_object(object);
    // What nobody keeps now is kept by nobody because of this carrier: who reaches it later got it from another one.
    if (borrowed.kept() && borrowed.must_register()) {
      ++carrier.unready;
      borrowed.awaiting.push_back(id);
    }
  }
  if (carrier.unready == 0) {
    complete(id, out);
    acknowledge(out);
  }
}

void BorrowClient::carrier_ready(CarrierId id, BorrowInstructions& out) {
  Carrier& carrier = carriers_.at(id);
  SABIR_CHECK(carrier.finishing && carrier.unready > 0);
  if (--carrier.unready == 0) {
    complete(id, out);
  }
}

void BorrowClient::complete(CarrierId id, BorrowInstructions& out) {
  auto found = carriers_.find(id);
  Carrier carrier = std::move(found->second);
  carriers_.erase(found);
  CarrierDone done{.carrier = id};
  for (const ObjectName& object : carrier.references) {
    Borrowed& borrowed = reached_object(object);
    if (borrowed.lost) {
      done.lost.push_back(object);
    }
    --borrowed.carried;
    borrowed.orphaned -= carrier.orphan ? 1 : 0;
  }
  out.emplace_back(std::move(done));
  for (const ObjectName& object : carrier.references) {
    if (find(object) != nullptr) {
      let_go(object, out);
    }
  }
}

// --- for people and tests

bool BorrowClient::reaches(const ObjectName& object) const {
  const Borrowed* borrowed = find(object);
  return borrowed != nullptr && borrowed->reached();
}

bool BorrowClient::is_registered(const ObjectName& object) const {
  const Borrowed* borrowed = find(object);
  return borrowed != nullptr && borrowed->registered > 0;
}

bool BorrowClient::is_lost(const ObjectName& object) const {
  const Borrowed* borrowed = find(object);
  return borrowed != nullptr && borrowed->lost;
}

size_t BorrowClient::objects() const {
  size_t count = 0;
  for (const auto& [node, owner] : owners_) {
    count += owner.objects.size();
  }
  return count;
}

size_t BorrowClient::open_requests() const {
  size_t count = 0;
  for (const auto& [node, owner] : owners_) {
    count += owner.open.size();
  }
  return count;
}

std::string BorrowClient::check_invariants() const {
  std::unordered_map<ObjectName, Borrowed> counted;
  for (const auto& [id, carrier] : carriers_) {
    for (const ObjectName& object : carrier.references) {
      Borrowed& count = counted[object];
      ++count.carried;
      count.orphaned += carrier.orphan ? 1 : 0;
    }
    if (carrier.finishing != (carrier.unready > 0)) {
      return "a finished carrier that waits for nothing";
    }
  }
  for (const auto& [node, owner] : owners_) {
    if (owner.next_id - owner.lowest_open() > options_.window || (owner.dead && !owner.open.empty())) {
      return "requests to node " + std::to_string(node) + " that must not be open";
    }
    for (const auto& [object, borrowed] : owner.objects) {
      const Borrowed& count = counted[object];
      if (borrowed.carried != count.carried || borrowed.orphaned != count.orphaned) {
        return "carriers of an object are miscounted";
      }
      if (!borrowed.reached() && !borrowed.registering && !borrowed.queued) {
        return "an object that nobody reaches";
      }
      if (borrowed.must_register() && !borrowed.registering && !borrowed.queued) {
        return "an object that must be registered and is not asked for";
      }
      if ((borrowed.orphaned > 0 && borrowed.must_register()) != orphans_.contains(object)) {
        return "an object of a dead lender that is not waited for, or one too many";
      }
      if (!borrowed.awaiting.empty() && !(borrowed.kept() && borrowed.must_register())) {
        return "a carrier waits for an object that needs nothing";
      }
      counted.erase(object);
    }
  }
  return counted.empty() ? std::string() : "a carrier of an object that is not there";
}

}  // namespace sabir::node
