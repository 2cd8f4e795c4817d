// Storage in one SQLite file with a write-ahead log.
//
// Durable against a kill of the process at any instant; with Options.durable also against loss of power, at the price
// of an fsync per commit. Every row carries a sum, and a seal counts and sums all of them, so that a damaged file is
// found when it is opened: the whole of it is read then. What is found damaged is reported, copied, and left as it is.
// The one loss that cannot be told from a crash is a log that ends early: its whole transactions are taken, the rest
// never was.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/control/sqlite.h"
#include "runtime/control/sqlite_file.h"
#include "runtime/control/storage.h"

namespace sabir::control {

class SqliteStorage final : public Storage {
 public:
  struct Options {
    std::string path;
    // Against loss of power.
    bool durable = false;
    // Nothing there: an error, not a new store. For who knows that there was one.
    bool must_exist = false;
    // How long to wait for another process that has the file locked.
    int lock_timeout_ms = 5'000;
    // The log goes into the file when it has grown to so many pages (4 KiB each).
    int checkpoint_pages = 1'000;
    // SQLite's way to the disk, by name; empty: the system's. For tests.
    std::string vfs;
  };

  // Takes the next epoch. Not for a file that this process has open already. Beside Storage's kinds: kNotFound:
  // must_exist, and there is nothing. kUnsupported: written by a newer Sabir. kSystem with "is damaged": see above; the
  // text names the copy.
  static Result<std::unique_ptr<SqliteStorage>> open(Options options);
  ~SqliteStorage() override;

  uint64_t epoch() const override { return epoch_; }
  // How many batches were ever committed to the file, as of the last commit or opening.
  uint64_t commits() const { return commits_; }

  Result<void> commit_all(std::span<const Batch* const> batches) override;
  Result<std::string> get(std::string_view table, std::string_view key) const override;
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override;
  // Every row of every table.
  Result<void> scan_all(
      const std::function<void(std::string_view table, std::string_view key, std::string_view value)>& visit) const;
  // Moves the log into the file when it is long.
  void maintain() override;

 private:
  SqliteStorage(Options options, SqliteConnection db) : options_(std::move(options)), db_(std::move(db)) {}
  static Error damaged(const Options& options, const std::string& why);
  Result<void> prepare();
  // The whole file, in one snapshot. The result says what is wrong; empty: nothing.
  Result<std::string> find_damage();
  Result<void> take_epoch();

  Result<StoreSeal> read_seal() const;
  Result<void> write_seal(const StoreSeal& seal);
  Result<void> write_row(const Batch::Write& write, StoreSeal& seal);
  Result<void> transact(std::span<const Batch* const> batches);
  Result<void> failed(Error error);

  const Options options_;
  SqliteConnection db_;
  // A statement changes when it is used, and the storage does not.
  mutable SqliteStatement read_seal_, get_, scan_, scan_all_;
  SqliteStatement begin_, commit_, write_seal_, row_sum_, put_, erase_;
  uint64_t epoch_ = 0;
  uint64_t commits_ = 0;
  int log_pages_ = 0;
  std::optional<Error> broken_;  // the disk failed: nothing more is written
};

}  // namespace sabir::control
