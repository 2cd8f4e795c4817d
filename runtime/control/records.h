// A table for a machine above this folder: it keeps its own state and knows what its rows mean, here they are bytes
// under a key. It stores before it acts on what it has decided, and reads all rows again when Transactor says that some
// were taken back.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class Records {
 public:
  static constexpr size_t kMaxKeyBytes = 255;
  static constexpr size_t kMaxRecordBytes = 1 << 20;
  static constexpr size_t kMaxRecords = 1 << 16;

  // `table`: no other part of the control store has it.
  Records(Storage* storage, std::string table) : storage_(storage), table_(std::move(table)) {}
  Result<void> load();

  // A new one, or in the place of the one that is there. kInvalid, kExhausted: the bounds.
  Result<void> put(std::string_view key, std::string_view record);
  Result<void> erase(std::string_view key);  // of nothing: fine
  // In order of keys.
  Result<void> scan(const std::function<void(std::string_view key, std::string_view record)>& visit) const {
    return storage_->scan(table_, visit);
  }
  const std::string& table() const { return table_; }
  size_t count() const { return count_; }

 private:
  Result<bool> has(std::string_view key) const;

  Storage* const storage_;
  const std::string table_;
  size_t count_ = 0;
};

}  // namespace sabir::control
