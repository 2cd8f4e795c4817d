#include "runtime/control/storage.h"

#include <string>

namespace sabir::control {

Error fenced_error(uint64_t epoch, uint64_t newer) {
  return disconnected_error("the control store's storage was taken over: this writer has epoch " +
                            std::to_string(epoch) + ", the storage " + std::to_string(newer));
}

Result<void> MemoryStorage::commit_all(std::span<const Batch* const> batches) {
  if (medium_->epoch != epoch_) {
    return fenced_error(epoch_, medium_->epoch);
  }
  for (const Batch* batch : batches) {
    medium_->tables.apply(*batch);
  }
  return {};
}

Result<std::string> MemoryStorage::get(std::string_view table, std::string_view key) const {
  const std::string* value = medium_->tables.find(table, key);
  if (value == nullptr) {
    return not_found_error("no such key");
  }
  return *value;
}

Result<void> MemoryStorage::scan(std::string_view table,
                                 const std::function<void(std::string_view, std::string_view)>& visit) const {
  medium_->tables.scan(table, visit);
  return {};
}

}  // namespace sabir::control
