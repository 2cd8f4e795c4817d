#include "runtime/control/staged_storage.h"

#include <utility>

#include "runtime/base/check.h"

namespace sabir::control {

void StagedStorage::begin() {
  SABIR_CHECK(!open_);
  open_.emplace();
}

StagedStorage::Staged StagedStorage::take() {
  SABIR_CHECK(open_);
  Staged staged = std::move(*open_);
  open_.reset();
  return staged;
}

bool StagedStorage::abort() {
  Staged staged = take();
  undo(staged.undo);
  return !staged.batch.empty();
}

Result<void> StagedStorage::commit_all(std::span<const Batch* const> batches) {
  SABIR_CHECK(open_, "a change outside of a request");
  for (const Batch* batch : batches) {
    Batch undo = tables_.apply(*batch);
    undo.append(open_->undo);
    open_->undo = std::move(undo);
    open_->batch.append(*batch);
  }
  return {};
}

Result<std::string> StagedStorage::get(std::string_view table, std::string_view key) const {
  const std::string* value = tables_.find(table, key);
  if (value == nullptr) {
    return not_found_error("no such key");
  }
  return *value;
}

Result<void> StagedStorage::scan(std::string_view table,
                                 const std::function<void(std::string_view, std::string_view)>& visit) const {
  tables_.scan(table, visit);
  return {};
}

}  // namespace sabir::control
