// LoginLimiter: how many logins of an address may fail, and how often that is worth a line of the log.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "runtime/base/clock.h"

namespace sabir::node_link {

struct LoginLimits {
  double burst = 16;      // failures at once
  double per_second = 2;  // and as many again in each second
  uint32_t max_addresses = 1024;
  int64_t log_interval_ns = 60 * kSecondNs;
};

// A token of 256 bits is not guessed; this bounds what trying costs us. Only failures count, so an address whose nodes
// log in is never slowed down by how many they are. One thread; the clock outlives it.
class LoginLimiter {
 public:
  explicit LoginLimiter(const Clock& clock, LoginLimits limits = {}) : clock_(clock), limits_(limits) {}

  // Whether the address may try.
  bool admits(const std::string& address);
  // A login failed. How many of this address failed since the last line about it, if one is due now; else 0.
  uint64_t failed(const std::string& address);
  // As failed(), for one that was not admitted.
  uint64_t turned_away(const std::string& address);

  size_t address_count() const { return entries_.size(); }

 private:
  struct Entry {
    double left = 0;
    int64_t updated_ns = 0;
    uint64_t unlogged = 0;
    int64_t logged_ns = 0;
    bool logged = false;
  };
  Entry& refilled(const std::string& address);
  void make_room();
  uint64_t count(Entry& entry);

  const Clock& clock_;
  LoginLimits limits_;
  std::unordered_map<std::string, Entry> entries_;  // those that failed lately
};

}  // namespace sabir::node_link
