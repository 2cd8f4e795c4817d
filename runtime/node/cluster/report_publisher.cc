#include "runtime/node/cluster/report_publisher.h"

#include <algorithm>
#include <utility>

namespace sabir::cluster {
namespace {

bool differs_by(Units a, Units b, Units total, uint32_t percent) {
  Units difference = a > b ? a - b : b - a;
  return difference != 0 && ((a <= 0) != (b <= 0) || difference >= total / 100 * percent);
}

bool same_infeasible(const std::vector<DemandShape>& a, const std::vector<DemandShape>& b) {
  auto shown = [](const std::vector<DemandShape>& demand) {
    std::vector<std::pair<const Amounts*, const std::string*>> list;
    for (const DemandShape& shape : demand) {
      if (shape.infeasible) {
        list.emplace_back(&shape.resources, &shape.reason);
      }
    }
    return list;
  };
  auto first = shown(a);
  auto second = shown(b);
  return std::equal(first.begin(), first.end(), second.begin(), second.end(), [](const auto& left, const auto& right) {
    return *left.first == *right.first && *left.second == *right.second;
  });
}

}  // namespace

ReportPublisher::ReportPublisher(NodeKey node, PublisherOptions options, const Clock* clock)
    : node_(node), options_(options), clock_(clock) {}

void ReportPublisher::observe(NodeState state) { now_ = std::move(state); }

NodeReport ReportPublisher::newest() {
  NodeReport report = make();
  report.statics = nullptr;
  told_version_ = version_;
  return report;
}

NodeReport ReportPublisher::own() { return make(); }

NodeReport ReportPublisher::make() {
  if (version_ == 0 || now_ != versioned_) {
    version_ += 1;
    if (statics_ == nullptr || now_.total != versioned_.total || now_.labels != versioned_.labels) {
      statics_ = std::make_shared<NodeStatics>(
          NodeStatics{statics_ == nullptr ? 1 : statics_->version + 1, now_.total, now_.labels});
    }
    versioned_ = now_;
  }
  NodeReport report{.node = node_, .version = version_, .statics_version = statics_->version};
  report.statics = statics_;
  report.available = now_.available;
  report.gpu_free = now_.gpu_free;
  report.draining = now_.draining;
  report.waiting = now_.waiting;
  report.demand = now_.demand;
  if (report.demand.size() > kMaxDemandShapes) {
    std::stable_sort(report.demand.begin(), report.demand.end(),
                     [](const DemandShape& a, const DemandShape& b) { return a.waiting > b.waiting; });
    report.demand.resize(kMaxDemandShapes);
  }
  report.store_used_bytes = now_.store_used_bytes;
  report.store_capacity_bytes = now_.store_capacity_bytes;
  return report;
}

bool ReportPublisher::matters() const {
  const NodeState& before = *sent_;
  if (before.draining != now_.draining || before.total != now_.total || before.labels != now_.labels ||
      before.gpu_free != now_.gpu_free || before.available.size() != now_.available.size() ||
      !same_infeasible(before.demand, now_.demand)) {
    return true;
  }
  for (size_t i = 0; i < now_.available.size(); ++i) {
    if (differs_by(before.available[i], now_.available[i], i < now_.total.size() ? now_.total[i].units : 0,
                   options_.threshold_percent)) {
      return true;
    }
  }
  auto [fewer, more] = std::minmax(before.waiting, now_.waiting);
  auto percent_of_store = static_cast<Units>(now_.store_capacity_bytes);
  return more > 2 * fewer ||
         differs_by(static_cast<Units>(before.store_used_bytes), static_cast<Units>(now_.store_used_bytes),
                    percent_of_store, options_.threshold_percent);
}

std::optional<int64_t> ReportPublisher::due_ns() const {
  if (fenced_) {
    return std::nullopt;
  }
  if (unanswered_) {
    return sent_ns_ + options_.answer_timeout_ns;
  }
  if (!sent_) {
    return sent_ns_ == kNever ? 0 : sent_ns_ + options_.min_interval_ns;
  }
  bool told_another = told_version_ > sent_version_;
  if (*sent_ == now_ && !told_another) {
    return std::nullopt;
  }
  return sent_ns_ + (told_another || matters() ? options_.min_interval_ns : options_.small_change_ns);
}

std::optional<int64_t> ReportPublisher::next_wake_ns() const { return due_ns(); }

std::optional<NodeReport> ReportPublisher::next() {
  std::optional<int64_t> due = due_ns();
  if (!due || *due > clock_->now_ns()) {
    return std::nullopt;
  }
  return send();
}

std::optional<NodeReport> ReportPublisher::urgent() {
  if (fenced_ || (sent_ && *sent_ == now_)) {
    return std::nullopt;  // it is there already, or on its way
  }
  return send();
}

NodeReport ReportPublisher::send() {
  NodeReport report = make();
  if (accepted_statics_ == report.statics_version) {
    report.statics = nullptr;
  }
  unanswered_ = report.version;
  sent_ = now_;
  sent_version_ = report.version;
  sent_ns_ = clock_->now_ns();
  return report;
}

void ReportPublisher::answered(uint64_t version, ReportAnswer answer) {
  if (unanswered_ != version) {
    return;  // of an earlier attempt: the later one is answered, too
  }
  unanswered_.reset();
  if (answer == ReportAnswer::kAccepted) {
    // Statics are as old as the report or older: had they changed since, so had the version.
    accepted_statics_ = version == version_ ? statics_->version : accepted_statics_;
  } else {
    restart();
    fenced_ = answer == ReportAnswer::kFenced;
  }
}

void ReportPublisher::restart() {
  accepted_statics_ = 0;
  sent_.reset();
  unanswered_.reset();
}

}  // namespace sabir::cluster
