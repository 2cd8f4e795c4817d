#include "runtime/control/key_value.h"

namespace sabir::control {
namespace {

constexpr std::string_view kTable = "key_value";

}  // namespace

Result<void> KeyValue::load() {
  size_bytes_ = 0;
  keys_.clear();
  return storage_->scan(kTable, [this](std::string_view key, std::string_view value) {
    size_bytes_ += key.size() + value.size();
    keys_.emplace(key);
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
  Result<std::string> before = storage_->get(kTable, key);
  if (!before && before.error().kind() != ErrorKind::kNotFound) {
    return std::move(before).error();
  }
  if (before && !overwrite) {
    return false;
  }
  size_t bytes_before = before ? key.size() + before->size() : 0;
  size_t bytes = size_bytes_ - bytes_before + key.size() + value.size();
  if (bytes > kMaxTotalBytes) {
    return exhausted_error("keys and values together are limited to " + std::to_string(kMaxTotalBytes) + " bytes");
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().put(kTable, key, value)));
  size_bytes_ = bytes;
  keys_.emplace(key);
  return !before.ok();
}

Result<std::string> KeyValue::get(std::string_view key) const { return storage_->get(kTable, key); }

Result<bool> KeyValue::erase(std::string_view key) {
  Result<std::string> before = storage_->get(kTable, key);
  if (!before) {
    if (before.error().kind() == ErrorKind::kNotFound) {
      return false;
    }
    return std::move(before).error();
  }
  SABIR_RETURN_IF_ERROR(storage_->commit(Batch().erase(kTable, key)));
  size_bytes_ -= key.size() + before->size();
  keys_.erase(keys_.find(key));
  return true;
}

std::vector<std::string> KeyValue::list(std::string_view prefix, std::string_view after, size_t limit) const {
  std::vector<std::string> found;
  auto key = after < prefix ? keys_.lower_bound(prefix) : keys_.upper_bound(after);
  for (; key != keys_.end() && found.size() < limit && std::string_view(*key).starts_with(prefix); ++key) {
    found.push_back(*key);
  }
  return found;
}

}  // namespace sabir::control
