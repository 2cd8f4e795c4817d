#include "runtime/node/cluster/capacity.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::cluster {
namespace {

// A total of less than one GPU is a part of one index; above, totals are whole.
std::vector<Units> whole_gpus(Units total) {
  if (total <= 0) {
    return {};
  }
  auto count = std::clamp<Units>(total / kUnit, 1, node::kMaxGpus);
  return std::vector<Units>(static_cast<size_t>(count), std::min(total, kUnit));
}

}  // namespace

Capacity::Capacity(ResourceSet total)
    : total_(std::move(total)), free_(total_), gpu_free_(whole_gpus(total_.get(kGpu))) {}

Capacity::Capacity(ResourceSet total, ResourceSet free, std::vector<Units> gpu_free)
    : total_(std::move(total)), free_(std::move(free)), gpu_free_(std::move(gpu_free)) {
  gpu_free_.resize(whole_gpus(total_.get(kGpu)).size(), 0);
}

bool Capacity::could_fit(const ResourceSet& request) const {
  return std::all_of(request.begin(), request.end(),
                     [&](const auto& amount) { return amount.units <= total_.get(amount.id); });
}

bool Capacity::gpus_fit(Units units) const {
  if (units < kUnit) {
    return std::any_of(gpu_free_.begin(), gpu_free_.end(), [&](Units free) { return free >= units; });
  }
  return std::count(gpu_free_.begin(), gpu_free_.end(), kUnit) >= units / kUnit;
}

bool Capacity::fits(const ResourceSet& request) const {
  return std::all_of(request.begin(), request.end(), [&](const auto& amount) {
    return amount.id == kGpu ? gpus_fit(amount.units) : amount.units <= free_.get(amount.id);
  });
}

uint32_t Capacity::count_fitting(const ResourceSet& request, uint32_t limit) const {
  Units count = limit;
  for (const auto& amount : request) {
    if (amount.id != kGpu) {
      count = std::min(count, free_.get(amount.id) / amount.units);
    } else if (amount.units < kUnit) {
      Units shares = 0;
      for (Units free : gpu_free_) {
        shares += free / amount.units;
      }
      count = std::min(count, shares);
    } else {
      count = std::min<Units>(count, std::count(gpu_free_.begin(), gpu_free_.end(), kUnit) / (amount.units / kUnit));
    }
  }
  return static_cast<uint32_t>(std::max<Units>(count, 0));
}

uint64_t Capacity::take(const ResourceSet& request) {
  SABIR_CHECK(fits(request));
  for (const auto& amount : request) {
    free_.set(amount.id, free_.get(amount.id) - amount.units);
  }
  uint64_t mask = 0;
  Units units = request.get(kGpu);
  Units per_gpu = std::min(units, kUnit);
  for (Units left = units; left > 0; left -= per_gpu) {
    // Of those that fit the fullest one: whole GPUs stay whole as long as possible.
    size_t best = gpu_free_.size();
    for (size_t i = 0; i < gpu_free_.size(); ++i) {
      if (gpu_free_[i] >= per_gpu && (best == gpu_free_.size() || gpu_free_[i] < gpu_free_[best])) {
        best = i;
      }
    }
    gpu_free_[best] -= per_gpu;
    mask |= uint64_t{1} << best;
  }
  return mask;
}

void Capacity::give_back(const ResourceSet& request, uint64_t gpu_mask) {
  for (const auto& amount : request) {
    free_.set(amount.id, free_.get(amount.id) + amount.units);
  }
  for (; gpu_mask != 0; gpu_mask &= gpu_mask - 1) {
    gpu_free_[static_cast<size_t>(std::countr_zero(gpu_mask))] += std::min(request.get(kGpu), kUnit);
  }
}

uint32_t Capacity::percent_used_with(const ResourceSet& request) const {
  double most = 0;
  for (const auto& amount : request) {
    Units total = total_.get(amount.id);
    if (total > 0) {
      most =
          std::max(most, static_cast<double>(total - free_.get(amount.id) + amount.units) / static_cast<double>(total));
    }
  }
  return static_cast<uint32_t>(std::clamp(most * 100, 0.0, 1000.0));
}

}  // namespace sabir::cluster
