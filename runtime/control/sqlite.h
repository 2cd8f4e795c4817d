// SQLite with Results: connections, statements, and what its error codes mean here. Nothing else of Sabir calls it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"

namespace sabir::control {

// The kinds are those of Storage. `what` says what was tried.
Error sqlite_error(sqlite3* db, int code, std::string_view what);
// It did not get to what is on the disk. Any other failure to read a file speaks of its content.
bool sqlite_was_kept_out(int code);

// A prepared statement. What is bound must live until reset().
class SqliteStatement {
 public:
  SqliteStatement() = default;
  SqliteStatement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}

  // Parameters and columns are counted from 1 and from 0, as SQLite does.
  SqliteStatement& number(int parameter, int64_t value);
  SqliteStatement& text(int parameter, std::string_view value);
  SqliteStatement& bytes(int parameter, std::string_view value);

  // True: there is a row, whose columns stay valid until the next call.
  Result<bool> step();
  int64_t number_at(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view bytes_at(int column) const;

  // Ready for the next use; keeps what is bound.
  void reset() { sqlite3_reset(statement_.get()); }
  // For statements without rows.
  Result<void> run();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* db_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope: one that is not reset keeps its transaction open.
class SqliteScope {
 public:
  explicit SqliteScope(SqliteStatement& statement) : statement_(statement) {}
  SqliteScope(const SqliteScope&) = delete;
  SqliteScope& operator=(const SqliteScope&) = delete;
  ~SqliteScope() { statement_.reset(); }

 private:
  SqliteStatement& statement_;
};

// One thread at a time.
class SqliteConnection {
 public:
  // An existing file, for reading and writing. `vfs`: by its name; empty: the system's.
  static Result<SqliteConnection> open(const std::string& path, const std::string& vfs, int lock_timeout_ms);

  sqlite3* get() const { return db_.get(); }
  Result<SqliteStatement> prepare(std::string_view sql);
  Result<void> run(std::string_view sql);
  // The first column of the first row.
  Result<int64_t> number(std::string_view sql);
  Result<std::string> text(std::string_view sql);
  // Ends an open transaction without effect, if there is one.
  void roll_back();

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace sabir::control
