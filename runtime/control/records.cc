#include "runtime/control/records.h"

namespace sabir::control {

Result<void> Records::load() {
  count_ = 0;
  return scan([this](std::string_view, std::string_view) { ++count_; });
}

Result<bool> Records::has(std::string_view key) const {
  Result<std::string> record = storage_->get(table_, key);
  if (!record.ok() && record.error().kind() != ErrorKind::kNotFound) {
    return std::move(record).error();
  }
  return record.ok();
}

Result<void> Records::put(std::string_view key, std::string_view record) {
  if (key.empty() || key.size() > kMaxKeyBytes || record.size() > kMaxRecordBytes) {
    return invalid_error("a record of " + table_ + " has a key of 1 to " + std::to_string(kMaxKeyBytes) +
                         " bytes and at most " + std::to_string(kMaxRecordBytes) + " bytes");
  }
  SABIR_ASSIGN_OR_RETURN(bool there, has(key));
  if (!there && count_ >= kMaxRecords) {
    return exhausted_error("already " + std::to_string(kMaxRecords) + " records of " + table_);
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().put(table_, key, record)));
  count_ += there ? 0 : 1;
  return {};
}

Result<void> Records::erase(std::string_view key) {
  SABIR_ASSIGN_OR_RETURN(bool there, has(key));
  if (!there) {
    return {};
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().erase(table_, key)));
  --count_;
  return {};
}

}  // namespace sabir::control
