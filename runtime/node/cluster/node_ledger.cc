#include "runtime/node/cluster/node_ledger.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace sabir::cluster {

NodeLedger::NodeLedger(node::NodeResources* resources) : resources_(resources) {}

void NodeLedger::sweep() {
  for (BundleNumber number : resources_->take_closed_accounts()) {
    forget(number);
  }
}

void NodeLedger::forget(BundleNumber number) {
  auto found = bundles_.find(number);
  for (const auto& amount : found->second.amounts) {
    reserved_.set(amount.id, reserved_.get(amount.id) - amount.units);
  }
  auto group = by_group_.find(found->second.group);
  group->second.erase(number);
  if (group->second.empty()) {
    by_group_.erase(group);
  }
  bundles_.erase(found);
}

std::optional<std::vector<BundleNumber>> NodeLedger::reserve(
    const GroupId& group, const std::vector<std::pair<uint32_t, ResourceSet>>& bundles) {
  sweep();
  std::vector<BundleNumber> numbers;
  for (const auto& [index, amounts] : bundles) {
    if (!resources_->fits(amounts)) {
      for (BundleNumber number : numbers) {
        close(number);
      }
      return std::nullopt;
    }
    BundleNumber number = resources_->open_account(resources_->take(amounts));
    for (const auto& amount : amounts) {
      reserved_.set(amount.id, reserved_.get(amount.id) + amount.units);
    }
    numbers.push_back(number);
    bundles_.emplace(number, Bundle{.group = group, .index = index, .amounts = amounts});
    by_group_[group].insert(number);
  }
  return numbers;
}

void NodeLedger::open(BundleNumber number) {
  Bundle& bundle = bundles_.at(number);
  SABIR_CHECK(!bundle.closed);
  bundle.is_open = true;
}

bool NodeLedger::close(BundleNumber number) {
  sweep();
  auto found = bundles_.find(number);
  SABIR_CHECK(found != bundles_.end(), "bundle=", number);
  found->second.closed = true;
  found->second.is_open = false;
  if (!resources_->close_account(number)) {
    return false;
  }
  forget(number);
  return true;
}

size_t NodeLedger::bundle_count() {
  sweep();
  return bundles_.size();
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
    std::optional<ResourceSet> own = resources_->translate(request, number);
    if (own && resources_->fits(*own)) {
      return Fit::kNow;
    }
    fit = own ? Fit::kLater : fit;
  }
  return fit;
}

bool NodeLedger::attainable(const ResourceSet& request) const {
  return std::all_of(request.begin(), request.end(), [&](const auto& amount) {
    return amount.units <= resources_->total(amount.id) - reserved_.get(amount.id);
  });
}

std::optional<Claim> NodeLedger::claim(const ResourceSet& request, const Placement& placement) {
  BundleNumber best = node::kNodeAccount;
  ResourceSet wanted = request;
  if (placement.in_group()) {
    uint32_t best_used = 0;
    for (BundleNumber number : open_bundles(placement)) {
      std::optional<ResourceSet> own = resources_->translate(request, number);
      uint32_t used = own ? resources_->percent_used_with(*own, number) : 0;
      if (own && resources_->fits(*own) && (best == node::kNodeAccount || used > best_used)) {
        best = number;
        best_used = used;
        wanted = *own;
      }
    }
    if (best == node::kNodeAccount) {
      return std::nullopt;
    }
  } else if (!resources_->fits(request)) {
    return std::nullopt;
  }
  Claim claim{.bundle = best, .allocation = resources_->take(wanted, best)};
  claim.gpu_mask = claim.allocation.gpu_mask;
  return claim;
}

void NodeLedger::release(const Claim& claim) {
  resources_->give_back(claim.allocation);
  sweep();
}

void NodeLedger::check_invariants() {
  sweep();
  ResourceSet reserved;
  for (const auto& [number, bundle] : bundles_) {
    for (const auto& amount : bundle.amounts) {
      reserved.set(amount.id, reserved.get(amount.id) + amount.units);
    }
    SABIR_CHECK(!(bundle.is_open && bundle.closed), "bundle=", number);
    SABIR_CHECK(bundle.closed != resources_->is_open(number), "bundle=", number);
  }
  SABIR_CHECK(reserved == reserved_);
}

}  // namespace sabir::cluster
