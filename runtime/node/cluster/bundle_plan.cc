#include "runtime/node/cluster/bundle_plan.h"

#include <algorithm>
#include <map>
#include <optional>

namespace sabir::cluster {
namespace {

using Outcome = Decision::Outcome;
using Node = ResourceView::Node;

constexpr size_t kMaxTrials = 64;           // nodes that PACK tries for the bundles that are left
constexpr size_t kMaxSearchSteps = 20'000;  // of the bounded search

enum class Found : uint8_t { kYes, kNo, kUnknown };

class Planner {
 public:
  // `idle`: as if all of each node were free, but for the bundles that keep their place.
  Planner(const BundleQuery& query, const ResourceView& view, Random& random, bool idle)
      : query_(query), random_(random), nodes_(query.placed) {
    slots_.reserve(view.nodes().size());
    for (const Node& node : view.nodes()) {
      if (node.usable()) {
        slots_.push_back({.node = &node});
        if (idle) {
          slots_.back().changed = Capacity(node.capacity.total());
        }
      }
    }
    std::shuffle(slots_.begin(), slots_.end(), random_);
    for (const BundleSpec& bundle : *query.bundles) {
      sets_.push_back(view.resolve(bundle.resources));
    }
    for (size_t bundle = 0; bundle < nodes_.size(); ++bundle) {
      if (nodes_[bundle].id.is_nil()) {
        left_.push_back(bundle);
      } else {
        for (Slot& slot : slots_) {
          if (slot.node->key == nodes_[bundle]) {
            slot.used += 1;
            if (idle && sets_[bundle] && slot.room().fits(*sets_[bundle])) {
              slot.change().take(*sets_[bundle]);
            }
          }
        }
      }
    }
    sort_by_size();
  }

  Found run() {
    bool known = std::all_of(left_.begin(), left_.end(), [&](size_t bundle) { return sets_[bundle].has_value(); });
    if (!known) {
      return Found::kNo;
    }
    switch (query_.strategy) {
      case GroupStrategy::kStrictPack:
        return strict_pack() ? Found::kYes : Found::kNo;
      case GroupStrategy::kStrictSpread:
        return strict_spread() ? Found::kYes : Found::kNo;
      case GroupStrategy::kPack:
      case GroupStrategy::kSpread:
        break;
    }
    return greedy() ? Found::kYes : Found::kUnknown;
  }

  // Any place for all of them, of a planner that has done nothing else.
  Found run_search() {
    choice_.assign(left_.size(), 0);
    return search(0) ? Found::kYes : steps_ < kMaxSearchSteps ? Found::kNo : Found::kUnknown;
  }

  std::vector<NodeKey> nodes() const { return nodes_; }

 private:
  struct Slot {
    const Node* node = nullptr;
    std::optional<Capacity> changed = {};  // copied when something is put here
    uint32_t used = 0;                     // bundles of the group that are here

    const Capacity& room() const { return changed ? *changed : node->capacity; }
    Capacity& change() {
      if (!changed) {
        changed = node->capacity;
      }
      return *changed;
    }
  };

  const ResourceSet& set(size_t bundle) const { return *sets_[bundle]; }
  bool takes(const Slot& slot, size_t bundle) const {
    return slot.room().fits(set(bundle)) && matches((*query_.bundles)[bundle].selector, slot.node->labels());
  }
  void put(Slot& slot, size_t bundle) {
    slot.change().take(set(bundle));
    slot.used += 1;
    nodes_[bundle] = slot.node->key;
  }

  void sort_by_size() {
    std::map<ResourceId, Units> most;  // on one node
    for (const Slot& slot : slots_) {
      for (const auto& amount : slot.node->capacity.total()) {
        Units& units = most[amount.id];
        units = std::max(units, amount.units);
      }
    }
    std::vector<double> sizes(sets_.size(), 0);
    for (size_t bundle : left_) {
      for (const auto& amount : sets_[bundle].value_or(ResourceSet())) {
        auto units = static_cast<double>(std::max<Units>(most[amount.id], 1));
        sizes[bundle] = std::max(sizes[bundle], static_cast<double>(amount.units) / units);
      }
    }
    std::stable_sort(left_.begin(), left_.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  }

  // How many of left_[from...] it takes, one after the other.
  size_t count_taken(const Slot& slot, size_t from) const {
    Capacity trial = slot.room();
    size_t count = 0;
    for (size_t i = from; i < left_.size(); ++i) {
      if (trial.fits(set(left_[i])) && matches((*query_.bundles)[left_[i]].selector, slot.node->labels())) {
        trial.take(set(left_[i]));
        count += 1;
      }
    }
    return count;
  }

  bool strict_pack() {
    if (left_.empty()) {
      return true;
    }
    Slot* best = nullptr;
    uint32_t best_used = 0;
    bool has_place = left_.size() < nodes_.size();
    for (Slot& slot : slots_) {
      if ((has_place && slot.used == 0) || !takes(slot, left_[0]) || count_taken(slot, 0) != left_.size()) {
        continue;
      }
      uint32_t used = slot.room().percent_used_with(set(left_[0]));
      if (best == nullptr || used > best_used) {
        best = &slot;
        best_used = used;
      }
    }
    for (size_t bundle : left_) {
      if (best != nullptr) {
        put(*best, bundle);
      }
    }
    return best != nullptr;
  }

  // Augmenting paths: each round either places one bundle more, moving others, or proves that no matching has it.
  bool strict_spread() {
    std::erase_if(slots_, [](const Slot& slot) { return slot.used > 0; });
    std::stable_sort(slots_.begin(), slots_.end(), [&](const Slot& a, const Slot& b) {
      return !left_.empty() && a.room().percent_used_with(set(left_[0])) < b.room().percent_used_with(set(left_[0]));
    });
    std::vector<std::optional<size_t>> owner(slots_.size());
    for (size_t bundle : left_) {
      std::vector<bool> visited(slots_.size());
      if (!augment(bundle, owner, visited)) {
        return false;
      }
    }
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (owner[i]) {
        nodes_[*owner[i]] = slots_[i].node->key;
      }
    }
    return true;
  }

  bool augment(size_t bundle, std::vector<std::optional<size_t>>& owner, std::vector<bool>& visited) {
    for (bool taken : {false, true}) {
      for (size_t i = 0; i < slots_.size(); ++i) {
        if (visited[i] || owner[i].has_value() != taken || !takes(slots_[i], bundle)) {
          continue;
        }
        visited[i] = true;
        if (!taken || augment(*owner[i], owner, visited)) {
          owner[i] = bundle;
          return true;
        }
      }
    }
    return false;
  }

  bool greedy() {
    for (size_t i = 0; i < left_.size(); ++i) {
      Slot* slot = query_.strategy == GroupStrategy::kPack ? pack_slot(i) : spread_slot(left_[i]);
      if (slot == nullptr) {
        return false;
      }
      put(*slot, left_[i]);
    }
    return true;
  }

  Slot* spread_slot(size_t bundle) {
    Slot* best = nullptr;
    uint32_t best_percent = 0;
    for (Slot& slot : slots_) {
      if (takes(slot, bundle)) {
        uint32_t percent = slot.room().percent_used_with(set(bundle));
        if (best == nullptr || slot.used < best->used || (slot.used == best->used && percent < best_percent)) {
          best = &slot;
          best_percent = percent;
        }
      }
    }
    return best;
  }

  Slot* pack_slot(size_t position) {
    Slot* best = nullptr;
    uint32_t best_percent = 0;
    std::vector<std::pair<uint32_t, Slot*>> fresh;
    for (Slot& slot : slots_) {
      if (!takes(slot, left_[position])) {
        continue;
      }
      uint32_t percent = slot.room().percent_used_with(set(left_[position]));
      if (slot.used == 0) {
        fresh.emplace_back(percent, &slot);
      } else if (best == nullptr || percent > best_percent) {
        best = &slot;
        best_percent = percent;
      }
    }
    if (best != nullptr) {
      return best;
    }
    // A new node: of the least used ones that which takes most of what is left.
    size_t trials = std::min(fresh.size(), kMaxTrials);
    std::partial_sort(fresh.begin(), fresh.begin() + static_cast<ptrdiff_t>(trials), fresh.end(),
                      [](const auto& a, const auto& b) { return a.first < b.first; });
    size_t best_count = 0;
    for (size_t i = 0; i < trials; ++i) {
      size_t count = count_taken(*fresh[i].second, position);
      if (count > best_count) {
        best = fresh[i].second;
        best_count = count;
      }
    }
    return best;
  }

  // Any place for left_[position...]. Equal bundles in a row go to slots in order: their exchange changes nothing.
  bool search(size_t position) {
    if (position == left_.size()) {
      return true;
    }
    size_t bundle = left_[position];
    size_t first = 0;
    if (position > 0 && (*query_.bundles)[left_[position - 1]] == (*query_.bundles)[bundle]) {
      first = choice_[position - 1];
    }
    for (size_t i = first; i < slots_.size(); ++i) {
      if (!takes(slots_[i], bundle)) {
        continue;
      }
      if (++steps_ >= kMaxSearchSteps) {
        return false;
      }
      uint64_t gpus = slots_[i].change().take(set(bundle));
      choice_[position] = i;
      if (search(position + 1)) {
        nodes_[bundle] = slots_[i].node->key;
        return true;
      }
      slots_[i].change().give_back(set(bundle), gpus);
    }
    return false;
  }

  const BundleQuery& query_;
  Random& random_;
  std::vector<NodeKey> nodes_;
  std::vector<Slot> slots_;
  std::vector<std::optional<ResourceSet>> sets_;  // of each bundle
  std::vector<size_t> left_;                      // bundles without a place, largest first
  std::vector<size_t> choice_;
  size_t steps_ = 0;
};

}  // namespace

BundlePlan plan_bundles(const BundleQuery& query, const ResourceView& view, Random& random) {
  bool searched = query.strategy == GroupStrategy::kPack || query.strategy == GroupStrategy::kSpread;
  for (bool idle : {false, true}) {
    Planner planner(query, view, random, idle);
    Found found = planner.run();
    std::vector<NodeKey> nodes = planner.nodes();
    if (found == Found::kUnknown && searched) {
      Planner second(query, view, random, idle);
      found = second.run_search();
      nodes = second.nodes();
    }
    if (found != Found::kNo && (idle || found == Found::kYes)) {
      return idle ? BundlePlan{Outcome::kLater, {}} : BundlePlan{Outcome::kNow, std::move(nodes)};
    }
  }
  return {Outcome::kInfeasible, {}};
}

std::string explain_bundles(const BundleQuery& query, const ResourceView& view) {
  const std::vector<BundleSpec>& bundles = *query.bundles;
  Amounts sum;
  LabelSelector selectors;
  size_t left = 0;
  for (size_t i = 0; i < bundles.size(); ++i) {
    if (!query.placed[i].id.is_nil()) {
      continue;
    }
    left += 1;
    std::string reason = explain_request(bundles[i].resources, bundles[i].selector, view);
    if (!reason.empty()) {
      std::string text = "bundle " + std::to_string(i) + ": " + reason;
      text.resize(std::min(text.size(), kMaxReasonBytes));
      return text;
    }
    selectors.insert(selectors.end(), bundles[i].selector.begin(), bundles[i].selector.end());
    for (const ResourceRequest& amount : bundles[i].resources) {
      auto same = [&](const ResourceRequest& one) { return one.name == amount.name; };
      auto found = std::find_if(sum.begin(), sum.end(), same);
      if (found == sum.end()) {
        sum.push_back(amount);
      } else {
        found->units += amount.units;
      }
    }
  }
  switch (query.strategy) {
    case GroupStrategy::kStrictPack: {
      std::string text = "all bundles on one node: " + explain_request(sum, selectors, view);
      if (left < bundles.size()) {
        text = "the other bundles of the group are on one node, and it has no room for the rest";
      }
      text.resize(std::min(text.size(), kMaxReasonBytes));
      return text;
    }
    case GroupStrategy::kStrictSpread:
      return "needs " + std::to_string(left) + " more nodes that each serve one bundle; of " +
             std::to_string(view.nodes().size()) + " in the cluster not enough do";
    case GroupStrategy::kPack:
    case GroupStrategy::kSpread:
      break;
  }
  return "each bundle has a place, but there is none for all " + std::to_string(left) + " of them together";
}

}  // namespace sabir::cluster
