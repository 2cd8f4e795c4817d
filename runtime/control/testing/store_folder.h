// A folder for the files of a test's control store, and what they hold.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/control/sqlite_storage.h"
#include "runtime/control/tables.h"

namespace sabir::control::testing {

// Removed with everything in it at the end.
class StoreFolder {
 public:
  StoreFolder();
  StoreFolder(const StoreFolder&) = delete;
  StoreFolder& operator=(const StoreFolder&) = delete;
  ~StoreFolder();

  const std::string& path() const { return path_; }
  std::string file() const { return path_ + "/control.db"; }
  SqliteStorage::Options options() const;
  // Must work.
  std::unique_ptr<SqliteStorage> open() const;

 private:
  std::string path_;
};

std::string read_all(const std::string& path);
void write_all(const std::string& path, std::string_view bytes);
bool exists(const std::string& path);

// Every row.
Tables content_of(const SqliteStorage& storage);

}  // namespace sabir::control::testing
