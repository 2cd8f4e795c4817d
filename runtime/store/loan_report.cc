// What LoanLedger tells people: usage, what fills the store, and whether its books balance.
#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "runtime/store/loans.h"

namespace sabir::store {
namespace {

constexpr size_t kTopProcesses = 5;
constexpr size_t kTopObjects = 3;

std::string bytes_text(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string objects_text(uint64_t count, uint64_t bytes) {
  return std::to_string(count) + (count == 1 ? " object, " : " objects, ") + bytes_text(bytes);
}

struct Share {
  uint64_t loan_bytes = 0;
  uint64_t objects = 0;
  uint64_t object_bytes = 0;
  uint64_t idle_bytes = 0;
  uint64_t open_bytes = 0;  // on loan for writing, without an object in it yet
  bool dead = false;
};

}  // namespace

std::string LoanLedger::name(ProcessId process) const {
  if (options_.describe) {
    return options_.describe(process);
  }
  return "process in slot " + std::to_string(process.slot) + ", life " + std::to_string(process.incarnation);
}

Error LoanLedger::full_error(uint64_t size_bytes) const {
  return store_full_error("no room for " + bytes_text(size_bytes) + " in the object store: " + describe_contents());
}

std::string LoanLedger::describe_contents() const {
  std::map<ProcessId, Share> shares;
  std::vector<std::pair<uint64_t, ProcessId>> largest;
  for (const auto& [offset, loan] : loans_) {
    Share& share = shares[loan.process];
    share.loan_bytes += loan.size_bytes;
    share.dead = share.dead || loan.process_dead;
    share.idle_bytes += loan.state == State::kIdle ? loan.size_bytes : 0;
    share.open_bytes += loan.state == State::kOpen && loan.objects.empty() ? loan.size_bytes : 0;
    for (const Object& object : loan.objects) {
      share.objects += 1;
      share.object_bytes += object.size_bytes;
      largest.emplace_back(object.size_bytes, loan.process);
    }
  }
  std::vector<std::pair<ProcessId, Share>> order(shares.begin(), shares.end());
  std::sort(order.begin(), order.end(),
            [](const auto& a, const auto& b) { return a.second.loan_bytes > b.second.loan_bytes; });
  std::sort(largest.rbegin(), largest.rend());

  std::string text = "capacity " + bytes_text(options_.capacity_bytes) + ", in use " + bytes_text(used_bytes_) + " (" +
                     objects_text(objects_, object_bytes_) + ").";
  for (size_t i = 0; i < std::min(order.size(), kTopProcesses); ++i) {
    const auto& [process, share] = order[i];
    text += (i == 0 ? " Created by " : "; ") + name(process) + (share.dead ? " (ended)" : "") + ": " +
            objects_text(share.objects, share.object_bytes);
    if (share.open_bytes > 0) {
      text += ", " + bytes_text(share.open_bytes) + " being written";
    }
    if (share.idle_bytes > 0) {
      text += ", " + bytes_text(share.idle_bytes) + " kept for reuse";
    }
  }
  if (order.size() > kTopProcesses) {
    text += "; " + std::to_string(order.size() - kTopProcesses) + " more processes";
  }
  text += order.empty() ? "" : ".";
  for (size_t i = 0; i < std::min(largest.size(), kTopObjects); ++i) {
    text += (i == 0 ? " Largest: " : "; ") + bytes_text(largest[i].first) + " by " + name(largest[i].second);
  }
  text += largest.empty() ? "" : ".";
  if (node_bytes_ > 0) {
    text += " Results kept by the node: " + bytes_text(node_bytes_) + ".";
  }
  return text;
}

LoanLedger::Usage LoanLedger::usage() const {
  Usage usage;
  usage.capacity_bytes = options_.capacity_bytes;
  usage.used_bytes = used_bytes_ + node_bytes_;
  usage.object_bytes = object_bytes_;
  usage.objects = objects_;
  usage.loans = loans_.size();
  usage.idle_bytes = idle_bytes_;
  usage.waiting = waiting_.size();
  return usage;
}

uint64_t LoanLedger::loan_bytes(ProcessId process) const {
  uint64_t bytes = 0;
  for (const auto& [offset, loan] : loans_) {
    bytes += loan.process == process ? loan.size_bytes : 0;
  }
  return bytes;
}

std::string LoanLedger::check_invariants() const {
  uint64_t used_bytes = 0;
  uint64_t object_bytes = 0;
  uint64_t objects = 0;
  uint64_t idle_bytes = 0;
  uint64_t idle_loans = 0;
  uint64_t loans_end = 0;
  for (const auto& [offset, loan] : loans_) {
    if (offset < loans_end) {
      return "loans overlap at " + std::to_string(offset);
    }
    loans_end = offset + loan.size_bytes;
    used_bytes += loan.size_bytes;
    uint64_t end = offset;
    for (const Object& object : loan.objects) {
      if (object.offset < end || object.offset + object.size_bytes > loans_end) {
        return "objects overlap or leave their loan at " + std::to_string(object.offset);
      }
      end = object.offset + object.size_bytes;
      object_bytes += object.size_bytes;
      objects += 1;
    }
    if (loan.state == State::kIdle) {
      idle_bytes += loan.size_bytes;
      idle_loans += 1;
      auto entry = idle_.find(loan.process);
      if (entry == idle_.end() || std::count(entry->second.begin(), entry->second.end(), offset) != 1) {
        return "an idle loan is not listed at " + std::to_string(offset);
      }
    }
    bool useless = loan.objects.empty() && loan.state != State::kOpen && (loan.process_dead || loan.alias_gone);
    if (useless || (loan.state == State::kIdle && !loan.objects.empty())) {
      return "a loan should be gone or not idle at " + std::to_string(offset);
    }
  }
  uint64_t node_bytes = 0;
  for (const auto& [offset, size_bytes] : node_values_) {
    node_bytes += size_bytes;
    objects += 1;
  }
  object_bytes += node_bytes;
  uint64_t listed = 0;
  for (const auto& [process, offsets] : idle_) {
    listed += offsets.size();
  }
  if (listed != idle_loans || used_bytes != used_bytes_ || node_bytes != node_bytes_ || objects != objects_ ||
      object_bytes != object_bytes_ || idle_bytes != idle_bytes_) {
    return "sums differ: loans " + std::to_string(used_bytes) + "/" + std::to_string(used_bytes_) + ", objects " +
           std::to_string(object_bytes) + "/" + std::to_string(object_bytes_) + ", idle " + std::to_string(idle_bytes) +
           "/" + std::to_string(idle_bytes_);
  }
  if (allocator_.used_bytes() < used_bytes_ + node_bytes_) {
    return "the allocator gave out less than the ledger has";
  }
  return {};
}

}  // namespace sabir::store
