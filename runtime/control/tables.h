// Ordered tables of byte strings in memory.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "runtime/control/batch.h"

namespace sabir::control {

class Tables {
 public:
  // The batch that takes this one back, when applied before any other change.
  Batch apply(const Batch& batch);
  // Null: no such row.
  const std::string* find(std::string_view table, std::string_view key) const;
  // In order of keys.
  void scan(std::string_view table,
            const std::function<void(std::string_view key, std::string_view value)>& visit) const;
  size_t count() const;  // of rows

  // A table without rows is no table.
  bool operator==(const Tables&) const = default;

 private:
  using Table = std::map<std::string, std::string, std::less<>>;
  std::map<std::string, Table, std::less<>> tables_;
};

}  // namespace sabir::control
