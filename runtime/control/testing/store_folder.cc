#include "runtime/control/testing/store_folder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "runtime/base/check.h"

namespace sabir::control::testing {

StoreFolder::StoreFolder() : path_("/tmp/sabir-control-XXXXXX") { SABIR_CHECK(::mkdtemp(path_.data()) != nullptr); }

StoreFolder::~StoreFolder() { std::filesystem::remove_all(path_); }

SqliteStorage::Options StoreFolder::options() const {
  SqliteStorage::Options options;
  options.path = file();
  return options;
}

std::unique_ptr<SqliteStorage> StoreFolder::open() const { return SqliteStorage::open(options()).value(); }

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_all(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  SABIR_CHECK(file.good(), path);
}

bool exists(const std::string& path) { return std::filesystem::exists(path); }

Tables content_of(const SqliteStorage& storage) {
  Batch rows;
  Result<void> scanned = storage.scan_all(
      [&](std::string_view table, std::string_view key, std::string_view value) { rows.put(table, key, value); });
  SABIR_CHECK(scanned.ok(), scanned.ok() ? "" : scanned.error().message());
  Tables tables;
  tables.apply(rows);
  return tables;
}

}  // namespace sabir::control::testing
