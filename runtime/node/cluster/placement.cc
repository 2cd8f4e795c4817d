#include "runtime/node/cluster/placement.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace sabir::cluster {
namespace {

using Outcome = Decision::Outcome;
using Node = ResourceView::Node;

constexpr uint64_t kLocalityUnitBytes = 1 << 20;  // C2
constexpr uint32_t kTopShare = 8;                 // C3

bool contains(std::span<const NodeId> list, const NodeId& id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

uint32_t locality(std::span<const ArgumentBytes> arguments, const NodeId& id) {
  for (const ArgumentBytes& argument : arguments) {
    if (argument.node == id) {
      return static_cast<uint32_t>(std::bit_width(argument.size_bytes / kLocalityUnitBytes));
    }
  }
  return 0;
}

class Chooser {
 public:
  Chooser(const PlacementQuery& query, const ResourceSet& set, const ResourceView& view, Random& random)
      : query_(query), set_(set), view_(view), random_(random), local_(view.find(query.local)) {
    for (const ArgumentBytes& argument : query.arguments) {
      most_local_ = std::max(most_local_, locality(query.arguments, argument.node));
    }
  }

  std::optional<Decision> now(const LabelSelector& selector) {
    bool spread = query_.strategy->kind == Strategy::Kind::kSpread;
    bool local = !spread && local_ != nullptr && eligible(*local_, selector);
    bool local_now = local && local_->capacity.fits(set_);
    bool stay = local_now || (local && query_.local_soon && local_->capacity.could_fit(set_));  // C1
    if (stay && most_local_ == 0) {
      return Decision{local_now ? Outcome::kNow : Outcome::kLater, local_->key};
    }
    candidates_.clear();
    uint32_t best_locality = 0;
    for (const Node& node : view_.nodes()) {
      if (node.usable() && node.capacity.fits(set_) && eligible(node, selector)) {
        uint32_t level = spread ? 0 : locality(query_.arguments, node.key.id);
        best_locality = std::max(best_locality, level);
        candidates_.push_back({&node, level, grade(node, spread)});
      }
    }
    if (stay && locality(query_.arguments, query_.local) >= best_locality) {
      return Decision{local_now ? Outcome::kNow : Outcome::kLater, local_->key};
    }
    std::erase_if(candidates_, [&](const Candidate& one) { return one.locality < best_locality; });
    if (candidates_.empty()) {
      return std::nullopt;
    }
    return Decision{Outcome::kNow, pick()->key};
  }

  // Where it can wait: a node that could serve it if all of it were free.
  std::optional<Decision> later(const LabelSelector& selector) {
    if (query_.strategy->kind != Strategy::Kind::kSpread && local_ != nullptr && eligible(*local_, selector) &&
        local_->capacity.could_fit(set_)) {
      return Decision{Outcome::kLater, local_->key};
    }
    candidates_.clear();
    for (const Node& node : view_.nodes()) {
      if (node.usable() && node.capacity.could_fit(set_) && matches(selector, node.labels())) {
        // C8, here: who refused now may be waited for, but others first.
        uint32_t grade = static_cast<uint32_t>(std::bit_width(node.waiting)) + (refused(node) ? 100 : 0);
        candidates_.push_back({&node, 0, grade});
      }
    }
    if (candidates_.empty()) {
      return std::nullopt;
    }
    return Decision{Outcome::kLater, pick()->key};
  }

 private:
  struct Candidate {
    const Node* node;
    uint32_t locality;
    uint32_t grade;  // lower is better
  };

  bool refused(const Node& node) const { return contains(query_.refused, node.key.id); }
  bool eligible(const Node& node, const LabelSelector& selector) const {
    return node.usable() && !refused(node) && matches(selector, node.labels());
  }

  uint32_t grade(const Node& node, bool spread) const {
    uint32_t percent = node.capacity.percent_used_with(set_);
    uint32_t grade = spread ? percent / 5 : percent < 50 ? 0 : (percent - 40) / 10;
    return grade + (node.waiting > 0 ? 1 : 0);
  }

  const Node* pick() {
    size_t best = 1 + view_.nodes().size() / kTopShare;
    size_t count = candidates_.size();
    if (count > best) {
      auto worse = [](const Candidate& a, const Candidate& b) { return a.grade < b.grade; };
      std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(best) - 1, candidates_.end(),
                       worse);
      uint32_t limit = candidates_[best - 1].grade;
      // The whole grade that the last of them has: its members are equals.
      auto middle = std::partition(candidates_.begin(), candidates_.end(),
                                   [&](const Candidate& one) { return one.grade <= limit; });
      count = static_cast<size_t>(middle - candidates_.begin());
    }
    return candidates_[random_() % count].node;
  }

  const PlacementQuery& query_;
  const ResourceSet& set_;
  const ResourceView& view_;
  Random& random_;
  const Node* const local_;
  uint32_t most_local_ = 0;
  std::vector<Candidate> candidates_;
};

bool bundle_could_fit(const Amounts& bundle, const Amounts& request) {
  return std::all_of(request.begin(), request.end(), [&](const ResourceRequest& amount) {
    auto same = [&](const ResourceRequest& one) { return one.name == amount.name; };
    auto found = std::find_if(bundle.begin(), bundle.end(), same);
    return amount.units == 0 || (found != bundle.end() && found->units >= amount.units);
  });
}

// C7
Decision choose_bundle(const PlacementQuery& query, const ResourceView& view, Random& random) {
  if (query.bundles == nullptr) {
    return {Outcome::kLater, {}};
  }
  const std::vector<BundleLocation>& bundles = *query.bundles;
  int32_t index = query.strategy->placement.bundle;
  bool could = false;
  std::vector<NodeKey> free;
  std::vector<NodeKey> busy;
  for (size_t i = 0; i < bundles.size(); ++i) {
    if ((index != Placement::kAnyBundle && static_cast<size_t>(index) != i) ||
        !bundle_could_fit(bundles[i].resources, *query.resources)) {
      continue;
    }
    could = true;
    if (view.is_member(bundles[i].node)) {
      (contains(query.refused, bundles[i].node.id) ? busy : free).push_back(bundles[i].node);
    }
  }
  if (!could) {
    return {Outcome::kInfeasible, {}};
  }
  auto is_local = [&](const NodeKey& node) { return node.id == query.local; };
  if (auto local = std::find_if(free.begin(), free.end(), is_local); local != free.end()) {
    return {Outcome::kNow, *local};
  }
  if (!free.empty()) {
    return {Outcome::kNow, free[random() % free.size()]};
  }
  return {Outcome::kLater, busy.empty() ? NodeKey{} : busy[random() % busy.size()]};
}

}  // namespace

Result<void> check_strategy(const Strategy& strategy) {
  bool plain = strategy.kind == Strategy::Kind::kDefault && strategy.selector.empty() && strategy.fallback.empty();
  if (strategy.kind > Strategy::Kind::kAffinity) {
    return invalid_error("no such scheduling strategy");
  }
  if (strategy.placement.in_group() && !plain) {
    return invalid_error("a call in a placement group runs where its bundle is: no other strategy goes with that");
  }
  if (strategy.placement.bundle < Placement::kAnyBundle) {
    return invalid_error("no such bundle: " + std::to_string(strategy.placement.bundle));
  }
  if ((strategy.kind == Strategy::Kind::kAffinity) == strategy.node.is_nil()) {
    return invalid_error("node affinity, and it alone, names a node");
  }
  if (strategy.fallback.size() > kMaxFallbackSelectors) {
    return invalid_error("more than " + std::to_string(kMaxFallbackSelectors) + " fallback selectors");
  }
  SABIR_RETURN_IF_ERROR(check_selector(strategy.selector));
  for (const LabelSelector& selector : strategy.fallback) {
    SABIR_RETURN_IF_ERROR(check_selector(selector));
  }
  return {};
}

Decision choose_node(const PlacementQuery& query, const ResourceView& view, Random& random) {
  const Strategy& strategy = *query.strategy;
  if (strategy.placement.in_group()) {
    return choose_bundle(query, view, random);
  }
  std::optional<ResourceSet> set = view.resolve(*query.resources);
  if (!set) {
    return {Outcome::kInfeasible, {}};
  }
  if (strategy.kind == Strategy::Kind::kAffinity) {
    const Node* node = view.find(strategy.node);
    bool could = node != nullptr && node->usable() && node->capacity.could_fit(*set) &&
                 (strategy.soft || matches(strategy.selector, node->labels()));
    if (could) {
      bool now = node->capacity.fits(*set) && !contains(query.refused, strategy.node);
      return {now ? Outcome::kNow : Outcome::kLater, node->key};
    }
    if (!strategy.soft) {
      return {Outcome::kInfeasible, {}};
    }
  }
  Chooser chooser(query, *set, view, random);
  std::optional<Decision> decision = chooser.now(strategy.selector);
  for (size_t i = 0; !decision && i < strategy.fallback.size(); ++i) {
    decision = chooser.now(strategy.fallback[i]);
  }
  if (!decision) {
    decision = chooser.later(strategy.selector);
  }
  for (size_t i = 0; !decision && i < strategy.fallback.size(); ++i) {
    decision = chooser.later(strategy.fallback[i]);
  }
  return decision.value_or(Decision{});
}

}  // namespace sabir::cluster
