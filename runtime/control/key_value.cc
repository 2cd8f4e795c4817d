#include "runtime/control/key_value.h"

namespace sabir::control {
namespace {

constexpr std::string_view kTable = "key_value";

}  // namespace

Result<void> KeyValue::load() {
  size_bytes_ = 0;
  return storage_->scan(kTable, [this](std::string_view key, std::string_view value) {
    size_bytes_ += key.size() + value.size();
  });
}

Result<bool> KeyValue::put(std::string_view key, std::string_view value, bool overwrite) {
  if (key.empty() || key.size() > kMaxKeyBytes) {
    return invalid_error("a key is 1 to " + std::to_string(kMaxKeyBytes) + " bytes");
  }
  if (value.size() > kMaxValueBytes) {
    return invalid_error("a value is at most " + std::to_string(kMaxValueBytes) +
                         " bytes: put larger ones into the object store");
  }
  SABIR_ASSIGN_OR_RETURN(auto before, storage_->get(kTable, key));
  if (before && !overwrite) {
    return false;
  }
  size_t bytes_before = before ? key.size() + before->size() : 0;
  size_t bytes = size_bytes_ - bytes_before + key.size() + value.size();
  if (bytes > kMaxTotalBytes) {
    return exhausted_error("keys and values together are limited to " +
                           std::to_string(kMaxTotalBytes) + " bytes");
  }
  SABIR_RETURN_IF_ERROR(storage_->put(kTable, key, value));
  size_bytes_ = bytes;
  return !before;
}

Result<std::string> KeyValue::get(std::string_view key) const {
  SABIR_ASSIGN_OR_RETURN(auto value, storage_->get(kTable, key));
  if (!value) {
    return not_found_error("no such key");
  }
  return *std::move(value);
}

Result<bool> KeyValue::erase(std::string_view key) {
  SABIR_ASSIGN_OR_RETURN(auto before, storage_->get(kTable, key));
  if (!before) {
    return false;
  }
  SABIR_RETURN_IF_ERROR(storage_->erase(kTable, key));
  size_bytes_ -= key.size() + before->size();
  return true;
}

}  // namespace sabir::control
