#include "runtime/control/sqlite.h"

#include <cerrno>
#include <utility>

#include "runtime/base/check.h"

namespace sabir::control {
namespace {

ErrorKind kind_of(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return ErrorKind::kExhausted;
    case SQLITE_IOERR:
      // A quota is as good as a full disk. Only of a write: after a failed fsync nobody knows what is on the disk.
      return code == SQLITE_IOERR_WRITE && (system_errno == EDQUOT || system_errno == ENOSPC) ? ErrorKind::kExhausted
                                                                                              : ErrorKind::kSystem;
    default:
      return ErrorKind::kSystem;
  }
}

// SQLite takes a null pointer for NULL, whatever the size.
const char* never_null(std::string_view bytes) { return bytes.data() == nullptr ? "" : bytes.data(); }

}  // namespace

Error sqlite_error(sqlite3* db, int code, std::string_view what) {
  int system_errno = db == nullptr ? 0 : sqlite3_system_errno(db);
  std::string text(what);
  text += ": ";
  text += db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  return {kind_of(code, system_errno), std::move(text)};
}

bool sqlite_was_kept_out(int code) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
      return true;
    default:
      return false;
  }
}

SqliteStatement& SqliteStatement::number(int parameter, int64_t value) {
  SABIR_CHECK(sqlite3_bind_int64(statement_.get(), parameter, value) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::text(int parameter, std::string_view value) {
  int code =
      sqlite3_bind_text64(statement_.get(), parameter, never_null(value), value.size(), SQLITE_STATIC, SQLITE_UTF8);
  SABIR_CHECK(code == SQLITE_OK, sqlite3_errstr(code));
  return *this;
}

SqliteStatement& SqliteStatement::bytes(int parameter, std::string_view value) {
  int code = sqlite3_bind_blob64(statement_.get(), parameter, never_null(value), value.size(), SQLITE_STATIC);
  SABIR_CHECK(code == SQLITE_OK, sqlite3_errstr(code));
  return *this;
}

Result<bool> SqliteStatement::step() {
  int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE) {
    return code == SQLITE_ROW;
  }
  return sqlite_error(db_, code, sqlite3_sql(statement_.get()));
}

std::string_view SqliteStatement::bytes_at(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

Result<void> SqliteStatement::run() {
  SqliteScope scope(*this);
  SABIR_ASSIGN_OR_RETURN(bool row, step());
  SABIR_CHECK(!row, sqlite3_sql(statement_.get()));
  return {};
}

Result<SqliteConnection> SqliteConnection::open(const std::string& path, const std::string& vfs, int lock_timeout_ms) {
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             vfs.empty() ? nullptr : vfs.c_str());
  SqliteConnection connection;
  connection.db_.reset(raw);
  if (code != SQLITE_OK) {
    return sqlite_error(raw, code, "open " + path);
  }
  sqlite3_busy_timeout(raw, lock_timeout_ms);
  return connection;
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), 0, &statement, nullptr);
  if (code != SQLITE_OK) {
    return sqlite_error(db_.get(), code, sql);
  }
  return SqliteStatement(db_.get(), statement);
}

Result<void> SqliteConnection::run(std::string_view sql) {
  SABIR_ASSIGN_OR_RETURN(SqliteStatement statement, prepare(sql));
  bool row = true;
  while (row) {  // a PRAGMA answers with its new value
    SABIR_ASSIGN_OR_RETURN(row, statement.step());
  }
  return {};
}

Result<int64_t> SqliteConnection::number(std::string_view sql) {
  SABIR_ASSIGN_OR_RETURN(SqliteStatement statement, prepare(sql));
  SABIR_ASSIGN_OR_RETURN(bool row, statement.step());
  return row ? statement.number_at(0) : 0;
}

Result<std::string> SqliteConnection::text(std::string_view sql) {
  SABIR_ASSIGN_OR_RETURN(SqliteStatement statement, prepare(sql));
  SABIR_ASSIGN_OR_RETURN(bool row, statement.step());
  return row ? std::string(statement.bytes_at(0)) : std::string();
}

void SqliteConnection::roll_back() {
  if (sqlite3_get_autocommit(db_.get()) == 0) {
    (void)run("ROLLBACK");
  }
}

}  // namespace sabir::control
