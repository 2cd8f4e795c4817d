#include "runtime/node/place_calls.h"

#include <algorithm>
#include <vector>

#include "runtime/node/cluster/read_strategy.h"

namespace sabir::node {
namespace {

using cluster::Decision;
using cluster::NodeKey;
using cluster::Strategy;

constexpr int64_t kLocalPatienceNs = 60 * kMillisecondNs;  // P1
constexpr int64_t kPromiseNs = 300 * kMillisecondNs;       // P3
constexpr int64_t kSpreadPatienceNs = kSecondNs;           // P4
constexpr int64_t kUnknownNodeNs = 2 * kSecondNs;          // P5
constexpr size_t kMaxDebits = 1024;                        // of one class, to be given back
constexpr uint64_t kMaxChoices = 64;                       // of one class and time

Error unschedulable(const std::string& why) {
  return {ErrorKind::kUnschedulable, "it may run on one node only, and that can never be: " + why};
}

// Decisions about this node itself count within one plan alone: what became of them is seen in its accounts.
class OwnDebits {
 public:
  OwnDebits(cluster::ResourceView& view, const cluster::NodeId& self) : view_(view), node_(view.find(self)) {
    if (node_ != nullptr) {
      key_ = node_->key;
    }
  }
  OwnDebits(const OwnDebits&) = delete;
  OwnDebits& operator=(const OwnDebits&) = delete;
  ~OwnDebits() {
    for (cluster::DebitId debit : debits_) {
      view_.settle(debit);
    }
  }
  void take(const ResourceSet& set, uint64_t count) {
    if (node_ != nullptr && count != 0) {
      debits_.push_back(view_.debit(key_, set, static_cast<uint32_t>(std::min<uint64_t>(count, kMaxChoices))));
    }
  }

 private:
  cluster::ResourceView& view_;
  const cluster::ResourceView::Node* const node_;
  NodeKey key_;
  std::vector<cluster::DebitId> debits_;
};

}  // namespace

AlonePlan place_alone(const Strategy& strategy, const cluster::NodeId& self, const cluster::Labels& labels) {
  AlonePlan plan;
  bool bound = strategy.kind == Strategy::Kind::kAffinity && !strategy.soft;
  if (bound && strategy.node != self) {
    plan.failure =
        unschedulable(cluster::describe(NodeKey{.id = strategy.node}) + " is not in this session, which has " +
                      cluster::describe(NodeKey{.id = self}) + " alone");
    return plan;
  }
  plan.here = cluster::matches(strategy.selector, labels) ||
              std::any_of(strategy.fallback.begin(), strategy.fallback.end(),
                          [&](const cluster::LabelSelector& selector) { return cluster::matches(selector, labels); });
  if (!plan.here) {
    plan.reason = "no node has " + cluster::describe(strategy.selector);
    if (bound) {
      plan.failure = unschedulable(plan.reason);
    }
  }
  return plan;
}

std::optional<int64_t> CallPlacer::waits_since_ns(shm::ClassIndex class_index) const {
  auto found = waiting_.find(class_index);
  return found == waiting_.end() ? std::nullopt : std::optional(found->second.since_ns);
}

// P1
bool CallPlacer::here_first(const Strategy& strategy, const cluster::Amounts& resources,
                            const cluster::ResourceView& view) const {
  const cluster::ResourceView::Node* own = view.find(self_);
  if (own == nullptr || !own->reported || !cluster::matches(strategy.selector, own->labels())) {
    return strategy == Strategy{};
  }
  if (strategy.kind != Strategy::Kind::kAffinity) {
    return strategy.kind == Strategy::Kind::kDefault;
  }
  if (strategy.node == self_) {
    return true;
  }
  const cluster::ResourceView::Node* wanted = view.find(strategy.node);
  std::optional<ResourceSet> set = view.resolve(resources);
  return strategy.soft && !(wanted != nullptr && wanted->usable() && set && wanted->capacity.could_fit(*set));
}

bool CallPlacer::fits_here(const cluster::Amounts& resources, const cluster::ResourceView& view) const {
  const cluster::ResourceView::Node* own = view.find(self_);
  std::optional<ResourceSet> set = view.resolve(resources);
  return own == nullptr || !own->reported || (set && own->capacity.could_fit(*set));
}

// P3
uint64_t CallPlacer::open_here(const ClassBacklog& backlog, Waiting& waiting) const {
  if (waiting.here <= backlog.leases_here || clock_->now_ns() - waiting.here_ns > kPromiseNs) {
    waiting.here = backlog.leases_here;
  }
  return waiting.here - backlog.leases_here;
}

PlacePlan CallPlacer::plan(const ClassBacklog& backlog, cluster::ResourceView& view) {
  PlacePlan plan;
  const Strategy& strategy = backlog.place.strategy;
  if (backlog.place.here_only) {
    return plan;
  }
  bool counted = backlog.place.elsewhere_only || !here_first(strategy, backlog.resources, view);
  if (backlog.place.decided_outside()) {
    plan.here = counted ? 0 : UINT64_MAX;
  }
  if (backlog.waiting == 0) {
    nothing_waits(backlog, view);
    plan.let_go = strategy.kind == Strategy::Kind::kSpread || !strategy.fallback.empty();
    return plan;
  }
  int64_t now_ns = clock_->now_ns();
  Waiting& waiting = waiting_.try_emplace(backlog.class_index, Waiting{now_ns, 0, 0}).first->second;
  int64_t waited_ns = now_ns - waiting.since_ns;
  if (!counted && waited_ns < kLocalPatienceNs && fits_here(backlog.resources, view)) {
    return plan;
  }
  decide(backlog, view, counted, waiting, plan);
  if (plan.infeasible) {
    plan.failure = failure_of(backlog, view, waited_ns);
  }
  bool links = plan.elsewhere.empty() && backlog.links_ready;
  if (strategy.kind == Strategy::Kind::kSpread && !links && waited_ns < kSpreadPatienceNs) {
    plan.here = backlog.leases_here;  // P4
  }
  return plan;
}

// P6
void CallPlacer::nothing_waits(const ClassBacklog& backlog, cluster::ResourceView& view) {
  waiting_.erase(backlog.class_index);
  auto debits = debits_.find(backlog.class_index);
  if (backlog.under_way != 0 || debits == debits_.end()) {
    return;
  }
  for (cluster::DebitId debit : debits->second) {
    view.settle(debit);
  }
  debits_.erase(debits);
}

void CallPlacer::decide(const ClassBacklog& backlog, cluster::ResourceView& view, bool counted, Waiting& waiting,
                        PlacePlan& plan) {
  cluster::PlacementQuery query{.resources = &backlog.resources, .strategy = &backlog.place.strategy, .local = self_};
  std::optional<ResourceSet> set = view.resolve(backlog.resources);
  uint64_t open = counted ? open_here(backlog, waiting) : 0;
  uint64_t promised = backlog.promised + open;
  uint64_t wanted = std::min(backlog.waiting - std::min(backlog.waiting, promised), kMaxChoices);
  uint64_t chosen_here = 0;
  OwnDebits own(view, self_);
  if (set) {
    own.take(*set, open);
  }
  for (uint64_t i = 0; i < wanted; ++i) {
    Decision decision = cluster::choose_node(query, view, random_);
    bool now = decision.outcome == Decision::Outcome::kNow;
    plan.infeasible = decision.outcome == Decision::Outcome::kInfeasible;
    if (plan.infeasible || decision.node.id.is_nil() || !set) {
      break;
    }
    if (decision.node.id == self_) {
      if (!counted) {
        break;  // its own scheduler does it
      }
      chosen_here += now || open + chosen_here == 0 ? 1 : 0;
      own.take(*set, now ? 1 : 0);
    } else if (now || (plan.elsewhere.empty() && backlog.under_way + backlog.promised == 0)) {
      PlacePlan::Share& share = plan.elsewhere[decision.node];
      share.calls += 1;
      cluster::Capacity all(view.find(decision.node.id)->reported_capacity.total());
      share.most = std::max(1U, all.count_fitting(*set, UINT16_MAX));
      if (now) {
        std::deque<cluster::DebitId>& debits = debits_[backlog.class_index];
        debits.push_back(view.debit(decision.node, *set, 1));
        if (debits.size() > kMaxDebits) {
          debits.pop_front();  // its time is over, or soon
        }
      }
    }
    if (!now) {
      break;  // it waits there: whoever comes after it does, too
    }
  }
  if (counted) {
    if (chosen_here != 0) {
      waiting.here_ns = clock_->now_ns();
    }
    waiting.here = backlog.leases_here + open + chosen_here;
    plan.here = waiting.here;
  }
}

// P5
std::optional<Error> CallPlacer::failure_of(const ClassBacklog& backlog, const cluster::ResourceView& view,
                                            int64_t waited_ns) const {
  const Strategy& strategy = backlog.place.strategy;
  return is_over(strategy, view, waited_ns) ? std::optional(unschedulable(explain(backlog.resources, strategy, view)))
                                            : std::nullopt;
}

bool CallPlacer::is_over(const Strategy& strategy, const cluster::ResourceView& view, int64_t waited_ns) const {
  if (strategy.kind != Strategy::Kind::kAffinity || strategy.soft) {
    return false;
  }
  const cluster::ResourceView::Node* node = view.find(strategy.node);
  bool known = node != nullptr && node->reported;
  return known || is_dead_(strategy.node) || waited_ns >= kUnknownNodeNs;
}

Decision CallPlacer::look(const cluster::Amounts& resources, const Strategy& strategy,
                          const cluster::ResourceView& view) {
  cluster::PlacementQuery query{.resources = &resources, .strategy = &strategy, .local = self_};
  return cluster::choose_node(query, view, random_);
}

Decision CallPlacer::choose(const cluster::Amounts& resources, const Strategy& strategy, cluster::ResourceView& view) {
  Decision decision = look(resources, strategy, view);
  std::optional<ResourceSet> set = view.resolve(resources);
  if (decision.outcome == Decision::Outcome::kNow && decision.node.id != self_ && set) {
    view.debit(decision.node, *set, 1);
  }
  return decision;
}

bool CallPlacer::is_infeasible(const cluster::Amounts& resources, const Strategy& strategy,
                               const cluster::ResourceView& view) const {
  cluster::Random any(view.change_count());  // which of equals does not matter here
  cluster::PlacementQuery query{.resources = &resources, .strategy = &strategy, .local = self_};
  return cluster::choose_node(query, view, any).outcome == Decision::Outcome::kInfeasible;
}

std::string CallPlacer::explain(const cluster::Amounts& resources, const Strategy& strategy,
                                const cluster::ResourceView& view) const {
  return cluster::explain_placement({.resources = &resources, .strategy = &strategy, .local = self_}, view);
}

}  // namespace sabir::node
