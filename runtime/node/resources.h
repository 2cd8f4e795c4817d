// What a node has and what a call asks for: amounts in 1/10000, by name. No I/O, no clock.
//
// What was taken may become an account of its own (a bundle of a placement group): its amounts have ids of their own
// from then on, so that whoever decides about resources need not know that there are accounts.
//
// GPUs are assigned by index: a request of whole GPUs takes whole indices, a fraction of one shares an index with
// other fractions. Everything else is a plain amount. Amounts may be lent and taken back (L4), so "free" can go below
// zero for a while; nothing is ever *taken* that is not there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.h"

namespace sabir::node {

// 1/10000 of one CPU, GPU, byte (memory) or custom unit.
using Units = int64_t;
inline constexpr Units kUnit = 10'000;
inline constexpr uint32_t kMaxGpus = 64;            // bits of a GPU mask
inline constexpr uint32_t kMaxResourceNames = 256;  // of one node, asked for or present
inline constexpr uint32_t kMaxResourcesPerRequest = 32;

using ResourceId = uint32_t;
inline constexpr ResourceId kCpu = 0;
inline constexpr ResourceId kGpu = 1;
inline constexpr ResourceId kMemory = 2;

struct ResourceRequest {
  std::string name;  // "CPU", "GPU", "memory" or the user's
  Units units = 0;
  bool operator==(const ResourceRequest&) const = default;
};

// kInvalid: a negative amount, a name twice, empty or too long, more than kMaxResourcesPerRequest.
Result<void> check_amounts(const std::vector<ResourceRequest>& amounts);
// Also kInvalid: a GPU amount above one that is not whole.
Result<void> check_request(const std::vector<ResourceRequest>& request);

// An amount per resource, sorted by id, without zeros. Equal sets compare equal.
class ResourceSet {
 public:
  struct Amount {
    ResourceId id = 0;
    Units units = 0;
    auto operator<=>(const Amount&) const = default;
  };

  Units get(ResourceId id) const;
  void set(ResourceId id, Units units);
  bool empty() const { return amounts_.empty(); }
  auto begin() const { return amounts_.begin(); }
  auto end() const { return amounts_.end(); }
  auto operator<=>(const ResourceSet&) const = default;

 private:
  std::vector<Amount> amounts_;
};

using AccountId = uint64_t;  // never reused
inline constexpr AccountId kNodeAccount = 0;

// What one lease or actor holds.
struct Allocation {
  ResourceSet amounts = {};
  uint64_t gpu_mask = 0;    // the indices, as in CUDA_VISIBLE_DEVICES
  Units units_per_gpu = 0;  // of each index in the mask
  bool cpu_lent = false;    // L4: its CPU is with somebody else
  AccountId account = kNodeAccount;
};

class NodeResources {
 public:
  // kInvalid: a negative amount, a name twice, or a GPU count that is not whole or above kMaxGpus.
  static Result<NodeResources> create(const std::vector<ResourceRequest>& totals);

  // A request in ids; names nobody has heard of get one. kInvalid: negative amounts, a name twice or empty, more than
  // kMaxResourcesPerRequest of them, a GPU amount above one that is not whole. kExhausted: kMaxResourceNames.
  Result<ResourceSet> resolve(const std::vector<ResourceRequest>& request);

  // Empty if the node, all idle, could serve it; else what is missing, for people: "needs 4 GPU, this node has 0".
  std::string infeasible(const ResourceSet& request) const;

  bool fits(const ResourceSet& request) const;
  // This one amount is not free.
  bool lacks(const ResourceSet::Amount& amount) const;
  // Like fits(), as if `extra` were free in addition and `kept` were not. Where they change the GPUs, these are counted
  // as a sum: a hope, to be confirmed by fits() when it is there.
  bool would_fit(const ResourceSet& request, const ResourceSet& extra, const ResourceSet& kept) const;
  // The caller has asked fits().
  Allocation take(const ResourceSet& request, AccountId account = kNodeAccount);
  void give_back(const Allocation& allocation);

  // --- Accounts. What is taken under `account` has its ids: translate() gives them.

  // Out of what was taken from the node, until the account is closed.
  AccountId open_account(const Allocation& of_node);
  // Nothing is taken from it any more by those who ask; true: nothing is held of it either, and its amounts are the
  // node's again. Else that happens when the last of it is given back: then closed_accounts() has it.
  bool close_account(AccountId account);
  std::vector<AccountId> take_closed_accounts();
  // The same amounts in the account's ids. Nothing: the account could never hold them, or is closed.
  std::optional<ResourceSet> translate(const ResourceSet& request, AccountId account) const;
  bool is_open(AccountId account) const;
  // How much of it is in use when `own`, in its ids, is taken, too; for who wants the fullest one: 0 to 100 and above.
  uint32_t percent_used_with(const ResourceSet& own, AccountId account) const;
  struct AccountAmount {
    ResourceId base = 0;
    Units total = 0;
    Units free = 0;
  };
  std::vector<AccountAmount> amounts_of(AccountId account) const;
  // In all accounts, of the node's amount.
  Units reserved(ResourceId id) const;
  // The CPU of the account, kCpu of the node; what an allocation there would lend.
  ResourceId cpu_of(AccountId account) const;
  // One of those that an account has instead of kCpu.
  bool is_cpu(ResourceId id) const;
  // How many of these the account could hold at a time, all of it free; at most `limit`.
  uint32_t count_fitting(const ResourceSet& request, AccountId account, uint32_t limit) const;

  // L4: only the CPU of an allocation. take_back always succeeds; free(kCpu) may then be negative.
  void lend_cpu(Allocation& allocation);
  void take_back_cpu(Allocation& allocation);

  Units total(ResourceId id) const;
  Units free(ResourceId id) const;
  uint32_t gpu_count() const { return static_cast<uint32_t>(gpu_free_.size()); }
  const std::vector<Units>& gpu_free() const { return gpu_free_; }
  size_t name_count() const { return names_.size(); }
  // Of an id of an account: what it is called at the node.
  const std::string& name(ResourceId id) const { return names_[base_of(id)]; }
  // "{CPU: 1, GPU: 0.5}"
  std::string describe(const ResourceSet& set) const;

 private:
  // An amount of an account. Its id is its place here, behind those of names.
  struct Cell {
    ResourceId base = 0;
    Units total = 0;
    Units free = 0;
    std::vector<std::pair<uint32_t, Units>> gpu_free = {};  // base kGpu: index at the node, and what is free of it
  };
  struct Account {
    Allocation of_node;
    std::map<ResourceId, ResourceId> ids;  // by base
    uint32_t holders = 0;
    bool closed = false;
  };

  NodeResources();
  ResourceId id_of(std::string_view name);  // adds it; kMaxResourceNames if full
  bool gpus_fit(ResourceId id, Units units) const;
  Units& free_ref(ResourceId id) { return id < kMaxResourceNames ? free_[id] : cells_[id - kMaxResourceNames].free; }
  ResourceId base_of(ResourceId id) const { return id < kMaxResourceNames ? id : cells_[id - kMaxResourceNames].base; }
  void end_account(std::map<AccountId, Account>::iterator account);

  std::vector<std::string> names_;  // index = ResourceId
  std::vector<Units> totals_, free_;
  std::vector<Units> gpu_free_;  // per index; free_[kGpu] is their sum
  std::vector<Cell> cells_;
  std::vector<ResourceId> free_cells_;
  std::map<AccountId, Account> accounts_;
  AccountId last_account_ = kNodeAccount;
  std::vector<AccountId> closed_;
};

// "1", "0.5", "2.0001"
std::string format_units(Units units);

}  // namespace sabir::node
