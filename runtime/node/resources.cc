#include "runtime/node/resources.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::node {
namespace {

// Above any machine, and far from overflow when thousands of them are added up.
constexpr Units kMaxUnits = Units{1} << 55;

}  // namespace

Result<void> check_amounts(const std::vector<ResourceRequest>& amounts) {
  if (amounts.size() > kMaxResourcesPerRequest) {
    return invalid_error("more than " + std::to_string(kMaxResourcesPerRequest) + " resources");
  }
  for (size_t i = 0; i < amounts.size(); ++i) {
    const ResourceRequest& one = amounts[i];
    if (one.name.empty() || one.name.size() > 256) {
      return invalid_error("a resource needs a name of 1 to 256 bytes");
    }
    if (one.units < 0 || one.units > kMaxUnits) {
      return invalid_error("resource " + one.name + ": the amount is out of range");
    }
    for (size_t j = 0; j < i; ++j) {
      if (amounts[j].name == one.name) {
        return invalid_error("resource " + one.name + " is given twice");
      }
    }
  }
  return {};
}

Result<void> check_request(const std::vector<ResourceRequest>& request) {
  SABIR_RETURN_IF_ERROR(check_amounts(request));
  for (const ResourceRequest& one : request) {
    if (one.name == "GPU" && one.units > kUnit && one.units % kUnit != 0) {
      return invalid_error("above one GPU only whole numbers of GPUs can be asked for, not " + format_units(one.units));
    }
  }
  return {};
}

std::string format_units(Units units) {
  std::string text = units < 0 ? "-" : "";
  uint64_t magnitude = units < 0 ? -static_cast<uint64_t>(units) : static_cast<uint64_t>(units);
  text += std::to_string(magnitude / kUnit);
  uint64_t rest = magnitude % kUnit;
  if (rest != 0) {
    std::string digits = std::to_string(rest);
    digits.insert(0, 4 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

Units ResourceSet::get(ResourceId id) const {
  for (const Amount& amount : amounts_) {
    if (amount.id == id) {
      return amount.units;
    }
  }
  return 0;
}

void ResourceSet::set(ResourceId id, Units units) {
  auto at = std::lower_bound(amounts_.begin(), amounts_.end(), id,
                             [](const Amount& amount, ResourceId other) { return amount.id < other; });
  bool present = at != amounts_.end() && at->id == id;
  if (units == 0) {
    if (present) {
      amounts_.erase(at);
    }
  } else if (present) {
    at->units = units;
  } else {
    amounts_.insert(at, {id, units});
  }
}

NodeResources::NodeResources() : names_{"CPU", "GPU", "memory"}, totals_(3), free_(3) {}

Result<NodeResources> NodeResources::create(const std::vector<ResourceRequest>& totals) {
  SABIR_RETURN_IF_ERROR(check_amounts(totals));
  NodeResources node;
  for (const ResourceRequest& one : totals) {
    ResourceId id = node.id_of(one.name);
    if (id == kGpu && (one.units % kUnit != 0 || one.units > Units{kMaxGpus} * kUnit)) {
      return invalid_error("the number of GPUs is whole and at most " + std::to_string(kMaxGpus));
    }
    node.totals_[id] = node.free_[id] = one.units;
  }
  node.gpu_free_.assign(static_cast<size_t>(node.totals_[kGpu] / kUnit), kUnit);
  return node;
}

ResourceId NodeResources::id_of(std::string_view name) {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) {
      return static_cast<ResourceId>(i);
    }
  }
  if (names_.size() < kMaxResourceNames) {
    names_.emplace_back(name);
    totals_.push_back(0);
    free_.push_back(0);
    return static_cast<ResourceId>(names_.size() - 1);
  }
  return kMaxResourceNames;
}

Result<ResourceSet> NodeResources::resolve(const std::vector<ResourceRequest>& request) {
  SABIR_RETURN_IF_ERROR(check_request(request));
  ResourceSet set;
  for (const ResourceRequest& one : request) {
    if (one.units == 0) {
      continue;
    }
    ResourceId id = id_of(one.name);
    if (id == kMaxResourceNames) {
      return exhausted_error("more than " + std::to_string(kMaxResourceNames) +
                             " names of resources; the first one too many is " + one.name);
    }
    set.set(id, one.units);
  }
  return set;
}

std::string NodeResources::describe(const ResourceSet& set) const {
  std::string text = "{";
  for (const auto& amount : set) {
    text += (text.size() > 1 ? ", " : "") + name(amount.id) + ": " + format_units(amount.units);
  }
  return text + "}";
}

std::string NodeResources::infeasible(const ResourceSet& request) const {
  std::string missing;
  for (const auto& amount : request) {
    if (amount.units > total(amount.id)) {
      missing += (missing.empty() ? "needs " : "; needs ") + format_units(amount.units) + " " + name(amount.id) +
                 ", this node has " + format_units(total(amount.id));
    }
  }
  return missing;
}

bool NodeResources::gpus_fit(ResourceId id, Units units) const {
  std::vector<Units> of_account;
  if (id != kGpu) {
    for (const auto& [index, free] : cells_[id - kMaxResourceNames].gpu_free) {
      of_account.push_back(free);
    }
  }
  const std::vector<Units>& gpus = id == kGpu ? gpu_free_ : of_account;
  if (units < kUnit) {
    return std::any_of(gpus.begin(), gpus.end(), [&](Units free) { return free >= units; });
  }
  return std::count(gpus.begin(), gpus.end(), kUnit) >= units / kUnit;
}

bool NodeResources::lacks(const ResourceSet::Amount& amount) const {
  return base_of(amount.id) == kGpu ? !gpus_fit(amount.id, amount.units) : free(amount.id) < amount.units;
}

bool NodeResources::fits(const ResourceSet& request) const {
  return std::none_of(request.begin(), request.end(),
                      [this](const ResourceSet::Amount& amount) { return lacks(amount); });
}

bool NodeResources::would_fit(const ResourceSet& request, const ResourceSet& extra, const ResourceSet& kept) const {
  for (const auto& amount : request) {
    if (free(amount.id) + extra.get(amount.id) - kept.get(amount.id) < amount.units ||
        (extra.get(amount.id) == 0 && lacks(amount))) {
      return false;
    }
  }
  return true;
}

Allocation NodeResources::take(const ResourceSet& request, AccountId account) {
  SABIR_CHECK(fits(request));
  Allocation allocation{.amounts = request, .account = account};
  if (account != kNodeAccount) {
    accounts_.at(account).holders += 1;
  }
  for (const auto& amount : request) {
    free_ref(amount.id) -= amount.units;
    if (base_of(amount.id) != kGpu) {
      continue;
    }
    allocation.units_per_gpu = std::min(amount.units, kUnit);
    for (Units left = amount.units; left > 0; left -= allocation.units_per_gpu) {
      // Of those that fit the fullest one: whole GPUs stay whole as long as possible.
      Units* best = nullptr;
      uint32_t best_index = 0;
      auto consider = [&](uint32_t index, Units& free) {
        if (free >= allocation.units_per_gpu && (best == nullptr || free < *best)) {
          best = &free;
          best_index = index;
        }
      };
      if (amount.id == kGpu) {
        for (size_t i = 0; i < gpu_free_.size(); ++i) {
          consider(static_cast<uint32_t>(i), gpu_free_[i]);
        }
      } else {
        for (auto& [index, free] : cells_[amount.id - kMaxResourceNames].gpu_free) {
          consider(index, free);
        }
      }
      *best -= allocation.units_per_gpu;
      allocation.gpu_mask |= uint64_t{1} << best_index;
    }
  }
  return allocation;
}

void NodeResources::give_back(const Allocation& allocation) {
  ResourceId cpu = cpu_of(allocation.account);
  for (const auto& amount : allocation.amounts) {
    if (amount.id == cpu && allocation.cpu_lent) {
      continue;
    }
    free_ref(amount.id) += amount.units;
    SABIR_CHECK(free(amount.id) <= total(amount.id), "given back twice: ", name(amount.id));
    if (base_of(amount.id) != kGpu) {
      continue;
    }
    auto give = [&](Units& free) {
      free += allocation.units_per_gpu;
      SABIR_CHECK(free <= kUnit, "a GPU was given back twice");
    };
    for (uint64_t mask = allocation.gpu_mask; mask != 0; mask &= mask - 1) {
      auto index = static_cast<uint32_t>(std::countr_zero(mask));
      if (amount.id == kGpu) {
        give(gpu_free_[index]);
        continue;
      }
      for (auto& [own, free] : cells_[amount.id - kMaxResourceNames].gpu_free) {
        if (own == index) {
          give(free);
        }
      }
    }
  }
  if (allocation.account != kNodeAccount) {
    auto account = accounts_.find(allocation.account);
    SABIR_CHECK(account != accounts_.end() && account->second.holders > 0, "account=", allocation.account);
    account->second.holders -= 1;
    if (account->second.closed && account->second.holders == 0) {
      closed_.push_back(account->first);
      end_account(account);
    }
  }
}

void NodeResources::lend_cpu(Allocation& allocation) {
  SABIR_CHECK(!allocation.cpu_lent);
  allocation.cpu_lent = true;
  ResourceId cpu = cpu_of(allocation.account);
  free_ref(cpu) += allocation.amounts.get(cpu);
}

void NodeResources::take_back_cpu(Allocation& allocation) {
  SABIR_CHECK(allocation.cpu_lent);
  allocation.cpu_lent = false;
  ResourceId cpu = cpu_of(allocation.account);
  free_ref(cpu) -= allocation.amounts.get(cpu);
}

Units NodeResources::total(ResourceId id) const {
  if (id >= kMaxResourceNames) {
    return cells_[id - kMaxResourceNames].total;
  }
  return id < totals_.size() ? totals_[id] : 0;
}

Units NodeResources::free(ResourceId id) const {
  if (id >= kMaxResourceNames) {
    return cells_[id - kMaxResourceNames].free;
  }
  return id < free_.size() ? free_[id] : 0;
}

// --- Accounts

AccountId NodeResources::open_account(const Allocation& of_node) {
  SABIR_CHECK(of_node.account == kNodeAccount && !of_node.cpu_lent);
  Account& account = accounts_[++last_account_];
  account.of_node = of_node;
  for (const auto& amount : of_node.amounts) {
    if (free_cells_.empty()) {
      free_cells_.push_back(static_cast<ResourceId>(cells_.size()));
      cells_.emplace_back();
    }
    ResourceId at = free_cells_.back();
    free_cells_.pop_back();
    Cell& cell = cells_[at];
    cell = {.base = amount.id, .total = amount.units, .free = amount.units};
    if (amount.id == kGpu) {
      for (uint64_t mask = of_node.gpu_mask; mask != 0; mask &= mask - 1) {
        cell.gpu_free.emplace_back(static_cast<uint32_t>(std::countr_zero(mask)), of_node.units_per_gpu);
      }
    }
    account.ids[amount.id] = at + kMaxResourceNames;
  }
  return last_account_;
}

bool NodeResources::close_account(AccountId id) {
  auto account = accounts_.find(id);
  SABIR_CHECK(account != accounts_.end(), "account=", id);
  account->second.closed = true;
  if (account->second.holders != 0) {
    return false;
  }
  end_account(account);
  return true;
}

void NodeResources::end_account(std::map<AccountId, Account>::iterator account) {
  for (const auto& [base, id] : account->second.ids) {
    Cell& cell = cells_[id - kMaxResourceNames];
    SABIR_CHECK(cell.free == cell.total, name(id));
    cell = {};
    free_cells_.push_back(id - kMaxResourceNames);
  }
  Allocation of_node = std::move(account->second.of_node);
  accounts_.erase(account);
  give_back(of_node);
}

std::vector<AccountId> NodeResources::take_closed_accounts() { return std::exchange(closed_, {}); }

bool NodeResources::is_open(AccountId account) const {
  auto found = accounts_.find(account);
  return account == kNodeAccount || (found != accounts_.end() && !found->second.closed);
}

std::optional<ResourceSet> NodeResources::translate(const ResourceSet& request, AccountId account) const {
  auto found = accounts_.find(account);
  if (found == accounts_.end() || found->second.closed) {
    return std::nullopt;
  }
  ResourceSet own;
  for (const auto& amount : request) {
    auto id = found->second.ids.find(amount.id);
    if (id == found->second.ids.end() || total(id->second) < amount.units) {
      return std::nullopt;
    }
    own.set(id->second, amount.units);
  }
  return own;
}

uint32_t NodeResources::percent_used_with(const ResourceSet& own, AccountId account) const {
  auto found = accounts_.find(account);
  double most = 0;
  if (found != accounts_.end()) {
    for (const auto& [base, id] : found->second.ids) {
      most = std::max(most, static_cast<double>(total(id) - free(id) + own.get(id)) / static_cast<double>(total(id)));
    }
  }
  return static_cast<uint32_t>(std::clamp(most * 100, 0.0, 1000.0));
}

std::vector<NodeResources::AccountAmount> NodeResources::amounts_of(AccountId account) const {
  std::vector<AccountAmount> amounts;
  if (auto found = accounts_.find(account); found != accounts_.end()) {
    for (const auto& [base, id] : found->second.ids) {
      amounts.push_back({base, total(id), free(id)});
    }
  }
  return amounts;
}

Units NodeResources::reserved(ResourceId id) const {
  Units sum = 0;
  for (const auto& [number, account] : accounts_) {
    sum += account.of_node.amounts.get(id);
  }
  return sum;
}

ResourceId NodeResources::cpu_of(AccountId account) const {
  auto found = account == kNodeAccount ? accounts_.end() : accounts_.find(account);
  if (found == accounts_.end()) {
    return kCpu;
  }
  auto id = found->second.ids.find(kCpu);
  // Of an account without CPUs: a set of its ids has nothing under this one.
  return id != found->second.ids.end() ? id->second : kCpu;
}

bool NodeResources::is_cpu(ResourceId id) const { return base_of(id) == kCpu; }

uint32_t NodeResources::count_fitting(const ResourceSet& request, AccountId account, uint32_t limit) const {
  std::optional<ResourceSet> own = translate(request, account);
  if (!own) {
    return 0;
  }
  Units count = limit;
  for (const auto& amount : *own) {
    count = std::min(count, total(amount.id) / amount.units);
  }
  return static_cast<uint32_t>(count);
}

}  // namespace sabir::node
