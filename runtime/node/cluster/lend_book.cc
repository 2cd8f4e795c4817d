#include "runtime/node/cluster/lend_book.h"

#include <string>
#include <utility>

namespace sabir::node {

Result<void> LendBook::lend(uint64_t number, Incarnation receiver, std::vector<ObjectName> references) {
  if (view_->standing(receiver) != ClusterView::Standing::kLive) {
    return disconnected_error("node " + std::to_string(receiver) + " is not alive");
  }
  auto [found, is_new] = carriers_.try_emplace(number);
  if (!is_new) {
    return already_exists_error("carrier " + std::to_string(number));
  }
  found->second = {.receiver = receiver, .references = std::move(references)};
  by_receiver_[receiver].insert(number);
  return {};
}

std::vector<ObjectName> LendBook::done(uint64_t number, Incarnation receiver) {
  auto found = carriers_.find(number);
  if (found == carriers_.end() || found->second.receiver != receiver ||
      view_->standing(receiver) != ClusterView::Standing::kLive) {
    return {};
  }
  std::vector<ObjectName> references = std::move(found->second.references);
  carriers_.erase(found);
  auto numbers = by_receiver_.find(receiver);
  numbers->second.erase(number);
  if (numbers->second.empty()) {
    by_receiver_.erase(numbers);
  }
  return references;
}

std::vector<ObjectName> LendBook::node_settled(Incarnation receiver) {
  std::vector<ObjectName> references;
  auto numbers = by_receiver_.find(receiver);
  if (numbers == by_receiver_.end()) {
    return references;
  }
  for (uint64_t number : numbers->second) {
    auto found = carriers_.find(number);
    references.insert(references.end(), found->second.references.begin(), found->second.references.end());
    carriers_.erase(found);
  }
  by_receiver_.erase(numbers);
  return references;
}

}  // namespace sabir::node
