#include "runtime/node/cluster/view_hub.h"

#include <algorithm>
#include <utility>

namespace sabir::cluster {

ViewHub::ViewHub(uint64_t epoch, HubOptions options, ResourceView* view, const Clock* clock)
    : epoch_(epoch), options_(options), view_(view), clock_(clock) {}

// --- Members

void ViewHub::add_node(NodeKey node) {
  auto found = members_.find(node.id);
  if (found != members_.end() && found->second.key.incarnation < node.incarnation) {
    forget(found->second.key);
  }
  if (view_->add_node(node)) {
    members_[node.id] = Member{.key = node};
  }
}

void ViewHub::remove_node(NodeKey node) {
  auto found = members_.find(node.id);
  if (found != members_.end() && found->second.key.incarnation <= node.incarnation) {
    forget(found->second.key);
  }
}

void ViewHub::forget(NodeKey node) {
  changes_.erase(members_.at(node.id).changed_at);
  members_.erase(node.id);
  view_->remove_node(node);
  unsubscribe(node);
  gone_.emplace_back(++version_, node);
  while (gone_.size() > options_.max_gone) {
    forgotten_gone_ = gone_.front().first;
    gone_.pop_front();
  }
}

ReportAnswer ViewHub::on_report(const NodeReport& report) {
  const ResourceView::Node* before = view_->find(report.node.id);
  uint64_t statics_before = before != nullptr && before->statics != nullptr ? before->statics->version : 0;
  switch (view_->apply_report(report)) {
    case ResourceView::Applied::kStale:
      return ReportAnswer::kAccepted;
    case ResourceView::Applied::kNotMember:
      return ReportAnswer::kFenced;
    case ResourceView::Applied::kNeedsStatics:
    case ResourceView::Applied::kInvalid:
      return ReportAnswer::kNeedsAll;
    case ResourceView::Applied::kNew:
      break;
  }
  Member& member = members_.at(report.node.id);
  changes_.erase(member.changed_at);
  member.changed_at = ++version_;
  changes_[version_] = report.node.id;
  if (view_->find(report.node.id)->statics->version != statics_before) {
    member.statics_changed_at = version_;
  }
  return ReportAnswer::kAccepted;
}

// --- Subscribers

void ViewHub::subscribe(NodeKey node, ViewPosition has) {
  auto member = members_.find(node.id);
  if (member != members_.end() && member->second.key == node) {
    subscribers_[node.id] = Subscriber{.key = node, .has = has};
    all_have_it_ = false;
  }
}

void ViewHub::unsubscribe(NodeKey node) {
  auto found = subscribers_.find(node.id);
  if (found != subscribers_.end() && found->second.key == node) {
    subscribers_.erase(found);
  }
}

void ViewHub::on_position(NodeKey node, ViewPosition has) {
  auto found = subscribers_.find(node.id);
  if (found != subscribers_.end() && found->second.key == node) {
    found->second.has = has;
    found->second.sent_ns.reset();
  }
}

std::optional<int64_t> ViewHub::next_wake_ns() const {
  return all_have_it_ && told_version_ == version_ ? std::nullopt : std::optional<int64_t>(next_tick_ns_);
}

std::vector<ViewHub::Send> ViewHub::tick() {
  std::vector<Send> sends;
  int64_t now_ns = clock_->now_ns();
  if (now_ns < next_tick_ns_) {
    return sends;
  }
  std::map<uint64_t, std::pair<std::shared_ptr<const ViewBatch>, size_t>> batches;  // by from
  int64_t sent_bytes = 0;
  all_have_it_ = true;
  told_version_ = version_;
  for (auto& [id, subscriber] : subscribers_) {
    if (subscriber.has == ViewPosition{epoch_, version_}) {
      continue;
    }
    all_have_it_ = false;
    if (subscriber.sent_ns && now_ns - *subscriber.sent_ns < options_.answer_timeout_ns) {
      continue;
    }
    // Of another epoch, from a future that was lost, or too far behind: everything.
    uint64_t from = subscriber.has.epoch == epoch_ && subscriber.has.version <= version_ &&
                            subscriber.has.version >= forgotten_gone_
                        ? subscriber.has.version
                        : 0;
    auto& [batch, size_bytes] = batches[from];
    if (batch == nullptr) {
      batch = make_batch(from);
      size_bytes = encoded_size_bytes(*batch);
    }
    sent_bytes += static_cast<int64_t>(size_bytes);
    subscriber.sent_ns = now_ns;
    sends.push_back({subscriber.key, batch});
  }
  auto by_budget_ns = static_cast<int64_t>(static_cast<double>(sent_bytes) * static_cast<double>(kSecondNs) /
                                           static_cast<double>(options_.budget_bytes_per_s));
  next_tick_ns_ = now_ns + std::max(options_.tick_ns, by_budget_ns);
  return sends;
}

std::shared_ptr<const ViewBatch> ViewHub::make_batch(uint64_t from) const {
  auto batch = std::make_shared<ViewBatch>(ViewBatch{.epoch = epoch_, .from = from, .to = version_});
  if (from == 0) {
    batch->members.emplace();
    for (const auto& [id, member] : members_) {
      batch->members->push_back(member.key);
    }
    std::sort(batch->members->begin(), batch->members->end());
  } else {
    for (auto at = std::lower_bound(gone_.begin(), gone_.end(), from + 1,
                                    [](const auto&entry, uint64_t version) { return entry.first < version; });
         at != gone_.end(); ++at) {
      batch->gone.push_back(at->second);
    }
  }
  size_t size_bytes = encoded_size_bytes(*batch);
  for (auto at = changes_.upper_bound(from); at != changes_.end(); ++at) {
    const ResourceView::Node& node = *view_->find(at->second);
    NodeReport report{.node = node.key, .version = node.version, .statics_version = node.statics->version};
    if (from == 0 || members_.at(at->second).statics_changed_at > from) {
      report.statics = node.statics;
    }
    for (size_t i = 0; i < node.ids.size(); ++i) {
      report.available.push_back(node.ids[i] ? node.reported_capacity.free().get(*node.ids[i]) : 0);
    }
    report.gpu_free = node.reported_capacity.gpu_free();
    report.draining = node.draining;
    report.waiting = node.waiting;
    report.store_used_bytes = node.store_used_bytes;
    report.store_capacity_bytes = node.store_capacity_bytes;
    size_bytes += encoded_size_bytes(report);
    if (size_bytes > kMaxBatchBytes && !batch->reports.empty()) {
      // The rest in the next one: what has been named so far is exactly what changed up to here.
      batch->to = std::prev(at)->first;
      break;
    }
    batch->reports.push_back(std::move(report));
  }
  return batch;
}

}  // namespace sabir::cluster
