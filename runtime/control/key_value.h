// Small values by name, shared by all processes of the session.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class KeyValue {
 public:
  static constexpr size_t kMaxKeyBytes = 4 << 10;
  static constexpr size_t kMaxValueBytes = 16 << 20;
  static constexpr size_t kMaxTotalBytes = 256 << 20;

  explicit KeyValue(Storage* storage) : storage_(storage) {}
  Result<void> load();

  // True: the key is new. With overwrite false an existing value stays. kInvalid, kExhausted: the bounds.
  Result<bool> put(std::string_view key, std::string_view value, bool overwrite);
  Result<std::string> get(std::string_view key) const;  // kNotFound
  Result<bool> erase(std::string_view key);             // true: it was there
  // Keys that begin with `prefix` and come after `after` (empty: from the first), in order, at most `limit`.
  std::vector<std::string> list(std::string_view prefix, std::string_view after, size_t limit) const;
  size_t size_bytes() const { return size_bytes_; }

 private:
  Storage* const storage_;
  size_t size_bytes_ = 0;
  std::set<std::string, std::less<>> keys_;
};

}  // namespace sabir::control
