#include "runtime/control/sqlite_storage.h"

#define XXH_INLINE_ALL  // the header alone: no library to link
#include <xxhash.h>

#include <utility>

namespace sabir::control {
namespace {

uint64_t sum_of_row(std::string_view table, std::string_view key, std::string_view value) {
  // The sizes keep a byte from moving from one part into the next.
  uint64_t sum = XXH64(table.data(), table.size(), table.size());
  sum = XXH64(key.data(), key.size(), sum + key.size());
  return XXH64(value.data(), value.size(), sum + value.size());
}

Error row_damaged(std::string_view table) {
  return {ErrorKind::kSystem, "a row of the control store's table " + std::string(table) + " is damaged"};
}

}  // namespace

Error SqliteStorage::damaged(const Options& options, const std::string& why) {
  Result<std::string> copy = keep_copy(options.path);
  return {ErrorKind::kSystem,
          "the control store's file " + options.path + " is damaged: " + why + ". It is left as it is, and " +
              (copy.ok() ? "a copy is kept at " + *copy : "no copy could be made (" + copy.error().message() + ")") +
              ". Put a backup in its place, or move it away to begin with nothing"};
}

Result<std::unique_ptr<SqliteStorage>> SqliteStorage::open(Options options) {
  SABIR_ASSIGN_OR_RETURN(FileFinding found, look_at_store(options.path));
  if (found.look == FileLook::kAbsent && options.must_exist) {
    return not_found_error("there is no control store at " + options.path + ", and there was one");
  }
  if (found.look == FileLook::kAbsent) {
    SABIR_RETURN_IF_ERROR(make_store(options.path, options.vfs));
  }
  if (found.look == FileLook::kDamaged) {
    return damaged(options, found.why);
  }
  SABIR_ASSIGN_OR_RETURN(SqliteConnection db,
                         SqliteConnection::open(options.path, options.vfs, options.lock_timeout_ms));
  std::unique_ptr<SqliteStorage> storage(new SqliteStorage(std::move(options), std::move(db)));
  Result<void> ready = storage->prepare();
  if (!ready.ok()) {
    return std::move(ready).error();
  }
  return storage;
}

SqliteStorage::~SqliteStorage() {
  if (broken_) {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Result<void> SqliteStorage::prepare() {
  sqlite3* db = db_.get();
  // Until the file is known to be good its log stays beside it, whatever happens here.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  Result<std::string> damage = find_damage();
  if (!damage.ok()) {
    if (damage.error().kind() != ErrorKind::kSystem || sqlite_was_kept_out(sqlite3_errcode(db))) {
      return std::move(damage).error();
    }
    damage = damage.error().message();
  }
  if (!damage->empty()) {
    return damaged(options_, *damage);
  }
  SABIR_RETURN_IF_ERROR(db_.run(options_.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  SABIR_RETURN_IF_ERROR(db_.run("PRAGMA wal_autocheckpoint = 0"));  // maintain() does it, and hears how it went
  SABIR_RETURN_IF_ERROR(db_.run("PRAGMA journal_size_limit = 16777216"));
  SABIR_ASSIGN_OR_RETURN(begin_, db_.prepare("BEGIN IMMEDIATE"));
  SABIR_ASSIGN_OR_RETURN(commit_, db_.prepare("COMMIT"));
  SABIR_ASSIGN_OR_RETURN(write_seal_, db_.prepare("INSERT OR REPLACE INTO seal VALUES (1, ?1, ?2, ?3, ?4, ?5)"));
  SABIR_ASSIGN_OR_RETURN(row_sum_, db_.prepare("SELECT sum FROM rows WHERE tab = ?1 AND key = ?2"));
  SABIR_ASSIGN_OR_RETURN(get_, db_.prepare("SELECT value, sum FROM rows WHERE tab = ?1 AND key = ?2"));
  SABIR_ASSIGN_OR_RETURN(scan_, db_.prepare("SELECT key, value, sum FROM rows WHERE tab = ?1 ORDER BY key"));
  SABIR_ASSIGN_OR_RETURN(put_, db_.prepare("INSERT OR REPLACE INTO rows VALUES (?1, ?2, ?3, ?4)"));
  SABIR_ASSIGN_OR_RETURN(erase_, db_.prepare("DELETE FROM rows WHERE tab = ?1 AND key = ?2"));
  sqlite3_wal_hook(
      db,
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteStorage*>(self)->log_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  SABIR_RETURN_IF_ERROR(take_epoch());
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
  return {};
}

Result<std::string> SqliteStorage::find_damage() {
  SABIR_ASSIGN_OR_RETURN(int64_t version, db_.number("PRAGMA user_version"));
  SABIR_ASSIGN_OR_RETURN(int64_t application, db_.number("PRAGMA application_id"));
  if (application != kApplicationId) {
    return std::string("it is a database, but not of a control store");
  }
  if (version > kSchemaVersion) {
    return unsupported_error("the control store's file " + options_.path + " was written by a newer Sabir (schema " +
                             std::to_string(version) + ", this one knows " + std::to_string(kSchemaVersion) +
                             "): start that version, or move the file away to begin with nothing");
  }
  if (version < 1) {
    return "it has schema " + std::to_string(version);
  }
  // Another process may still write: all that follows must see the same instant.
  SABIR_RETURN_IF_ERROR(db_.run("BEGIN"));
  SABIR_ASSIGN_OR_RETURN(std::string structure, db_.text("PRAGMA quick_check(1)"));
  if (structure != "ok") {
    return structure;
  }
  SABIR_ASSIGN_OR_RETURN(read_seal_, db_.prepare("SELECT epoch, commits, row_count, row_sum, sum FROM seal"));
  SABIR_ASSIGN_OR_RETURN(scan_all_, db_.prepare("SELECT tab, key, value, sum FROM rows ORDER BY tab, key"));
  SABIR_ASSIGN_OR_RETURN(StoreSeal seal, read_seal());
  StoreSeal counted = seal;
  counted.row_count = 0;
  counted.row_sum = 0;
  SABIR_RETURN_IF_ERROR(scan_all([&](std::string_view table, std::string_view key, std::string_view value) {
    ++counted.row_count;
    counted.row_sum += sum_of_row(table, key, value);
  }));
  if (counted.row_count != seal.row_count || counted.row_sum != seal.row_sum) {
    return "it has " + std::to_string(counted.row_count) + " rows and should have " + std::to_string(seal.row_count) +
           (counted.row_count == seal.row_count ? " others" : "");
  }
  SABIR_RETURN_IF_ERROR(db_.run("COMMIT"));
  return std::string();
}

Result<void> SqliteStorage::take_epoch() {
  auto take = [&]() -> Result<void> {
    SABIR_RETURN_IF_ERROR(begin_.run());
    SABIR_ASSIGN_OR_RETURN(StoreSeal seal, read_seal());
    ++seal.epoch;
    SABIR_RETURN_IF_ERROR(write_seal(seal));
    SABIR_RETURN_IF_ERROR(commit_.run());
    epoch_ = seal.epoch;
    commits_ = seal.commits;
    return {};
  };
  Result<void> taken = take();
  if (!taken.ok()) {
    db_.roll_back();
    return std::move(taken).error().with_context("opening the control store's file " + options_.path);
  }
  return {};
}

Result<StoreSeal> SqliteStorage::read_seal() const {
  SqliteScope scope(read_seal_);
  SABIR_ASSIGN_OR_RETURN(bool row, read_seal_.step());
  if (!row) {
    return Error(ErrorKind::kSystem, "its seal is gone");
  }
  StoreSeal seal;
  seal.epoch = static_cast<uint64_t>(read_seal_.number_at(0));
  seal.commits = static_cast<uint64_t>(read_seal_.number_at(1));
  seal.row_count = static_cast<uint64_t>(read_seal_.number_at(2));
  seal.row_sum = static_cast<uint64_t>(read_seal_.number_at(3));
  if (static_cast<uint64_t>(read_seal_.number_at(4)) != seal.sum()) {
    return Error(ErrorKind::kSystem, "its seal is damaged");
  }
  return seal;
}

Result<void> SqliteStorage::write_seal(const StoreSeal& seal) {
  write_seal_.number(1, static_cast<int64_t>(seal.epoch)).number(2, static_cast<int64_t>(seal.commits));
  write_seal_.number(3, static_cast<int64_t>(seal.row_count)).number(4, static_cast<int64_t>(seal.row_sum));
  write_seal_.number(5, static_cast<int64_t>(seal.sum()));
  return write_seal_.run();
}

Result<void> SqliteStorage::write_row(const Batch::Write& write, StoreSeal& seal) {
  {
    SqliteScope scope(row_sum_);
    SABIR_ASSIGN_OR_RETURN(bool there, row_sum_.text(1, write.table).bytes(2, write.key).step());
    if (there) {
      seal.row_sum -= static_cast<uint64_t>(row_sum_.number_at(0));
      --seal.row_count;
    } else if (!write.value) {
      return {};
    }
  }
  if (!write.value) {
    return erase_.text(1, write.table).bytes(2, write.key).run();
  }
  uint64_t sum = sum_of_row(write.table, write.key, *write.value);
  seal.row_sum += sum;
  ++seal.row_count;
  put_.text(1, write.table).bytes(2, write.key).bytes(3, *write.value).number(4, static_cast<int64_t>(sum));
  return put_.run();
}

Result<void> SqliteStorage::transact(std::span<const Batch* const> batches) {
  SABIR_RETURN_IF_ERROR(begin_.run());
  SABIR_ASSIGN_OR_RETURN(StoreSeal seal, read_seal());
  if (seal.epoch != epoch_) {
    return fenced_error(epoch_, seal.epoch);
  }
  for (const Batch* batch : batches) {
    for (const Batch::Write& write : batch->writes()) {
      SABIR_RETURN_IF_ERROR(write_row(write, seal));
    }
  }
  seal.commits += batches.size();
  SABIR_RETURN_IF_ERROR(write_seal(seal));
  SABIR_RETURN_IF_ERROR(commit_.run());
  commits_ = seal.commits;
  return {};
}

Result<void> SqliteStorage::failed(Error error) {
  db_.roll_back();
  if (error.kind() == ErrorKind::kSystem) {
    broken_ = error;
  }
  return error;
}

Result<void> SqliteStorage::commit_all(std::span<const Batch* const> batches) {
  if (broken_) {
    return *broken_;
  }
  Result<void> done = transact(batches);
  return done.ok() ? std::move(done) : failed(std::move(done).error().with_context("the control store's file"));
}

Result<std::string> SqliteStorage::get(std::string_view table, std::string_view key) const {
  SqliteScope scope(get_);
  SABIR_ASSIGN_OR_RETURN(bool there, get_.text(1, table).bytes(2, key).step());
  if (!there) {
    return not_found_error("no such key");
  }
  std::string value(get_.bytes_at(0));
  if (sum_of_row(table, key, value) != static_cast<uint64_t>(get_.number_at(1))) {
    return row_damaged(table);
  }
  return value;
}

Result<void> SqliteStorage::scan(std::string_view table,
                                 const std::function<void(std::string_view, std::string_view)>& visit) const {
  SqliteScope scope(scan_);
  scan_.text(1, table);
  while (true) {
    SABIR_ASSIGN_OR_RETURN(bool row, scan_.step());
    if (!row) {
      return {};
    }
    std::string_view key = scan_.bytes_at(0);
    std::string_view value = scan_.bytes_at(1);
    if (sum_of_row(table, key, value) != static_cast<uint64_t>(scan_.number_at(2))) {
      return row_damaged(table);
    }
    visit(key, value);
  }
}

Result<void> SqliteStorage::scan_all(
    const std::function<void(std::string_view, std::string_view, std::string_view)>& visit) const {
  SqliteScope scope(scan_all_);
  while (true) {
    SABIR_ASSIGN_OR_RETURN(bool row, scan_all_.step());
    if (!row) {
      return {};
    }
    std::string_view table = scan_all_.bytes_at(0);
    std::string_view key = scan_all_.bytes_at(1);
    std::string_view value = scan_all_.bytes_at(2);
    if (sum_of_row(table, key, value) != static_cast<uint64_t>(scan_all_.number_at(3))) {
      return row_damaged(table);
    }
    visit(table, key, value);
  }
}

void SqliteStorage::maintain() {
  if (broken_ || log_pages_ < options_.checkpoint_pages) {
    return;
  }
  int code = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code == SQLITE_OK || sqlite_error(db_.get(), code, "").kind() == ErrorKind::kExhausted) {
    log_pages_ = 0;  // it starts again, or is tried again when it has grown as much again
    return;
  }
  broken_ = sqlite_error(db_.get(), code, "moving the control store's log into its file");
}

}  // namespace sabir::control
