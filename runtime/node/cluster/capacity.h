// What one node or one bundle has and what of it is free, by the ids of one table of names. The same rules as
// NodeResources (GPUs by index, fractions share one), for copies of other nodes' accounts: free may be anything that a
// report says, below zero too.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/node/cluster/cluster_types.h"

namespace sabir::cluster {

class Capacity {
 public:
  Capacity() = default;
  // All of it is free.
  explicit Capacity(ResourceSet total);
  // `gpu_free`: of each index; one that is missing is in use, one too many is not there.
  Capacity(ResourceSet total, ResourceSet free, std::vector<Units> gpu_free);

  // It could serve the request if all of it were free.
  bool could_fit(const ResourceSet& request) const;
  bool fits(const ResourceSet& request) const;
  // How many such requests fit at once, at most `limit`.
  uint32_t count_fitting(const ResourceSet& request, uint32_t limit) const;
  // Takes it; the caller has asked fits(). Returns the GPUs, by index.
  uint64_t take(const ResourceSet& request);
  void give_back(const ResourceSet& request, uint64_t gpu_mask);

  // The use, in percent, of what the request needs most of, once it has it: 0 to 100; above if it does not fit.
  uint32_t percent_used_with(const ResourceSet& request) const;

  const ResourceSet& total() const { return total_; }
  const ResourceSet& free() const { return free_; }
  const std::vector<Units>& gpu_free() const { return gpu_free_; }

 private:
  bool gpus_fit(Units units) const;

  ResourceSet total_, free_;
  std::vector<Units> gpu_free_;
};

}  // namespace sabir::cluster
