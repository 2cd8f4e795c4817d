#include "runtime/node/cluster/node_ledger.h"

#include <algorithm>
#include <bit>

#include "runtime/base/check.h"

namespace sabir::cluster {
namespace {

// The set bits of `mask` at the places of `places`.
uint64_t bits_at(uint64_t mask, uint64_t places) {
  uint64_t bits = 0;
  for (int place = 0; mask != 0; ++place, mask &= mask - 1) {
    if ((places >> place & 1) != 0) {
      bits |= uint64_t{1} << std::countr_zero(mask);
    }
  }
  return bits;
}

}  // namespace

NodeLedger::NodeLedger(node::NodeResources* resources) : resources_(resources) {}

std::optional<std::vector<BundleNumber>> NodeLedger::reserve(
    const GroupId& group, const std::vector<std::pair<uint32_t, ResourceSet>>& bundles) {
  std::vector<BundleNumber> numbers;
  for (const auto& [index, amounts] : bundles) {
    if (!resources_->fits(amounts)) {
      for (BundleNumber number : numbers) {
        close(number);
      }
      return std::nullopt;
    }
    Bundle bundle{.group = group, .index = index, .of_node = resources_->take(amounts), .capacity = Capacity(amounts)};
    for (const auto& amount : amounts) {
      reserved_.set(amount.id, reserved_.get(amount.id) + amount.units);
    }
    numbers.push_back(++last_number_);
    bundles_.emplace(last_number_, std::move(bundle));
    by_group_[group].insert(last_number_);
  }
  return numbers;
}

void NodeLedger::open(BundleNumber number) {
  Bundle& bundle = bundles_.at(number);
  SABIR_CHECK(!bundle.closed);
  bundle.is_open = true;
}

bool NodeLedger::close(BundleNumber number) {
  auto found = bundles_.find(number);
  SABIR_CHECK(found != bundles_.end(), "bundle=", number);
  Bundle& bundle = found->second;
  bundle.closed = true;
  bundle.is_open = false;
  if (bundle.claims > 0) {
    return false;
  }
  resources_->give_back(bundle.of_node);
  for (const auto& amount : bundle.of_node.amounts) {
    reserved_.set(amount.id, reserved_.get(amount.id) - amount.units);
  }
  auto group = by_group_.find(bundle.group);
  group->second.erase(number);
  if (group->second.empty()) {
    by_group_.erase(group);
  }
  bundles_.erase(found);
  return true;
}

std::vector<BundleNumber> NodeLedger::open_bundles(const Placement& placement) const {
  std::vector<BundleNumber> numbers;
  auto group = by_group_.find(placement.group);
  if (group != by_group_.end()) {
    for (BundleNumber number : group->second) {
      const Bundle& bundle = bundles_.at(number);
      bool wanted =
          placement.bundle == Placement::kAnyBundle || bundle.index == static_cast<uint32_t>(placement.bundle);
      if (wanted && bundle.is_open) {
        numbers.push_back(number);
      }
    }
  }
  return numbers;
}

NodeLedger::Fit NodeLedger::fit(const ResourceSet& request, const Placement& placement) const {
  if (!placement.in_group()) {
    return resources_->fits(request) ? Fit::kNow : resources_->infeasible(request).empty() ? Fit::kLater : Fit::kNever;
  }
  Fit fit = Fit::kNever;
  for (BundleNumber number : open_bundles(placement)) {
    const Capacity& capacity = bundles_.at(number).capacity;
    if (capacity.fits(request)) {
      return Fit::kNow;
    }
    fit = capacity.could_fit(request) ? Fit::kLater : fit;
  }
  return fit;
}

bool NodeLedger::attainable(const ResourceSet& request) const {
  return std::all_of(request.begin(), request.end(), [&](const auto& amount) {
    return amount.units <= resources_->total(amount.id) - reserved_.get(amount.id);
  });
}

std::optional<Claim> NodeLedger::claim(const ResourceSet& request, const Placement& placement) {
  if (!placement.in_group()) {
    if (!resources_->fits(request)) {
      return std::nullopt;
    }
    Claim claim{.amounts = request, .of_node = resources_->take(request)};
    claim.gpu_mask = claim.of_node.gpu_mask;
    return claim;
  }
  BundleNumber best = 0;
  uint32_t best_used = 0;
  for (BundleNumber number : open_bundles(placement)) {
    const Capacity& capacity = bundles_.at(number).capacity;
    if (capacity.fits(request) && (best == 0 || capacity.percent_used_with(request) > best_used)) {
      best = number;
      best_used = capacity.percent_used_with(request);
    }
  }
  if (best == 0) {
    return std::nullopt;
  }
  Bundle& bundle = bundles_.at(best);
  bundle.claims += 1;
  Claim claim{.amounts = request, .bundle = best, .gpu_places = bundle.capacity.take(request)};
  claim.gpu_mask = bits_at(bundle.of_node.gpu_mask, claim.gpu_places);
  return claim;
}

void NodeLedger::release(const Claim& claim) {
  if (claim.bundle == 0) {
    resources_->give_back(claim.of_node);
    return;
  }
  Bundle& bundle = bundles_.at(claim.bundle);
  SABIR_CHECK(bundle.claims > 0, "bundle=", claim.bundle);
  bundle.claims -= 1;
  bundle.capacity.give_back(claim.amounts, claim.gpu_places);
  if (bundle.closed && bundle.claims == 0) {
    close(claim.bundle);
  }
}

void NodeLedger::check_invariants() const {
  ResourceSet reserved;
  for (const auto& [number, bundle] : bundles_) {
    for (const auto& amount : bundle.of_node.amounts) {
      reserved.set(amount.id, reserved.get(amount.id) + amount.units);
    }
    SABIR_CHECK(!(bundle.is_open && bundle.closed), "bundle=", number);
    SABIR_CHECK(bundle.claims == 0 || bundle.is_open || bundle.closed, "bundle=", number);
    for (const auto& amount : bundle.capacity.total()) {
      Units free = bundle.capacity.free().get(amount.id);
      SABIR_CHECK(free >= 0 && free <= amount.units, "bundle=", number, " free=", free);
      SABIR_CHECK(bundle.claims > 0 || free == amount.units, "bundle=", number, " free=", free);
    }
  }
  SABIR_CHECK(reserved == reserved_);
}

}  // namespace sabir::cluster
