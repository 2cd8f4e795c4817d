#include "runtime/control/storage.h"

namespace sabir::control {

Result<void> MemoryStorage::put(std::string_view table, std::string_view key, std::string_view value) {
  auto found = tables_.find(table);
  if (found == tables_.end()) {
    found = tables_.emplace(std::string(table), Table()).first;
  }
  found->second.insert_or_assign(std::string(key), std::string(value));
  return {};
}

Result<void> MemoryStorage::erase(std::string_view table, std::string_view key) {
  auto found = tables_.find(table);
  if (found != tables_.end()) {
    auto at = found->second.find(key);
    if (at != found->second.end()) {
      found->second.erase(at);
    }
  }
  return {};
}

Result<std::string> MemoryStorage::get(std::string_view table, std::string_view key) const {
  auto found = tables_.find(table);
  if (found != tables_.end()) {
    auto at = found->second.find(key);
    if (at != found->second.end()) {
      return at->second;
    }
  }
  return not_found_error("no such key");
}

Result<void> MemoryStorage::scan(std::string_view table,
                                 const std::function<void(std::string_view, std::string_view)>& visit) const {
  auto found = tables_.find(table);
  if (found != tables_.end()) {
    for (const auto& [key, value] : found->second) {
      visit(key, value);
    }
  }
  return {};
}

}  // namespace sabir::control
