#include "runtime/rpc/node_link/login_limiter.h"

#include <algorithm>
#include <utility>

namespace sabir::node_link {

bool LoginLimiter::admits(const std::string& address) {
  return !entries_.contains(address) || refilled(address).left >= 1;
}

uint64_t LoginLimiter::failed(const std::string& address) {
  Entry& entry = refilled(address);
  entry.left = std::max(0.0, entry.left - 1);
  return count(entry);
}

uint64_t LoginLimiter::turned_away(const std::string& address) { return count(refilled(address)); }

LoginLimiter::Entry& LoginLimiter::refilled(const std::string& address) {
  int64_t now_ns = clock_.now_ns();
  auto found = entries_.find(address);
  if (found == entries_.end()) {
    make_room();
    found = entries_.emplace(address, Entry{.left = limits_.burst, .updated_ns = now_ns}).first;
  }
  Entry& entry = found->second;
  double seconds = static_cast<double>(now_ns - entry.updated_ns) / static_cast<double>(kSecondNs);
  entry.left = std::min(limits_.burst, entry.left + seconds * limits_.per_second);
  entry.updated_ns = now_ns;
  return entry;
}

// The one that was quiet for longest goes: it has most of its tries back anyway.
void LoginLimiter::make_room() {
  if (entries_.size() >= limits_.max_addresses) {
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.second.updated_ns < b.second.updated_ns;
    }));
  }
}

uint64_t LoginLimiter::count(Entry& entry) {
  ++entry.unlogged;
  int64_t now_ns = clock_.now_ns();
  if (entry.logged && now_ns - entry.logged_ns < limits_.log_interval_ns) {
    return 0;
  }
  entry.logged = true;
  entry.logged_ns = now_ns;
  return std::exchange(entry.unlogged, 0);
}

}  // namespace sabir::node_link
