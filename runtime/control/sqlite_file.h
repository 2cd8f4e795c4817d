// The files of a control store on disk: made whole or not at all, looked at before SQLite opens them, and kept aside
// when they are damaged.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.h"

namespace sabir::control {

// "SaCS": so that no other program's database is taken for one of ours.
inline constexpr int32_t kApplicationId = 0x53614353;
// Of the tables in the file. It rises when an older Sabir could not read what this one writes.
inline constexpr int32_t kSchemaVersion = 1;

// What a store says of itself; part of each transaction. Whatever else is lost or changed in the file, it differs.
struct StoreSeal {
  uint64_t epoch = 0;
  uint64_t commits = 0;    // of batches
  uint64_t row_count = 0;  // of all tables
  uint64_t row_sum = 0;    // of all rows' sums
  // Of the fields above.
  uint64_t sum() const;
};

// Makes an empty store under `path`, so that after a crash at any instant it is there as a whole or not at all. One
// that is there already stays. Readable and writable by this user alone.
Result<void> make_store(const std::string& path, const std::string& vfs);

enum class FileLook : uint8_t {
  kAbsent,
  kGood,     // it begins like a store; SQLite may open it
  kDamaged,  // and SQLite must not: of an empty file it would make an empty store
};
struct FileFinding {
  FileLook look = FileLook::kAbsent;
  std::string why;
};
// kSystem: it cannot be read.
Result<FileFinding> look_at_store(const std::string& path);

// Copies the file and its log beside them, under a name made from their content, so that many attempts to open the same
// damaged file leave one copy. The name of the copy. kSystem: it cannot be made; kExhausted: there is no room for it.
Result<std::string> keep_copy(const std::string& path);

}  // namespace sabir::control
