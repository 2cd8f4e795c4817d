#include "runtime/control/tables.h"

#include <optional>
#include <utility>
#include <vector>

namespace sabir::control {

Batch Tables::apply(const Batch& batch) {
  std::vector<Batch::Write> before;
  before.reserve(batch.writes().size());
  for (const Batch::Write& write : batch.writes()) {
    auto table = tables_.find(write.table);
    std::optional<std::string> old;
    if (table != tables_.end()) {
      if (auto row = table->second.find(write.key); row != table->second.end()) {
        old = std::move(row->second);
        table->second.erase(row);
      }
    }
    if (write.value) {
      if (table == tables_.end()) {
        table = tables_.emplace(write.table, Table()).first;
      }
      table->second.emplace(write.key, *write.value);
    } else if (table != tables_.end() && table->second.empty()) {
      tables_.erase(table);
    }
    before.push_back({write.table, write.key, std::move(old)});
  }
  Batch undo;
  for (auto write = before.rbegin(); write != before.rend(); ++write) {
    undo.add(std::move(*write));
  }
  return undo;
}

const std::string* Tables::find(std::string_view table, std::string_view key) const {
  auto found = tables_.find(table);
  if (found == tables_.end()) {
    return nullptr;
  }
  auto row = found->second.find(key);
  return row == found->second.end() ? nullptr : &row->second;
}

void Tables::scan(std::string_view table, const std::function<void(std::string_view, std::string_view)>& visit) const {
  if (auto found = tables_.find(table); found != tables_.end()) {
    for (const auto& [key, value] : found->second) {
      visit(key, value);
    }
  }
}

size_t Tables::count() const {
  size_t count = 0;
  for (const auto& [name, table] : tables_) {
    count += table.size();
  }
  return count;
}

}  // namespace sabir::control
