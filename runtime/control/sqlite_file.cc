#include "runtime/control/sqlite_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL  // the header alone: no library to link
#include <xxhash.h>

#include "runtime/base/fd.h"
#include "runtime/control/sqlite.h"

namespace sabir::control {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr size_t kHeaderBytes = 100;
constexpr size_t kFormatOffset = 18;  // two bytes, for writers and readers: 2 is a database with a write-ahead log
constexpr size_t kChunkBytes = 256 << 10;

Error system_error(std::string_view what) {
  int error_number = errno;
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return exhausted_error(Error::from_errno(error_number, what).message());
  }
  return {ErrorKind::kSystem, Error::from_errno(error_number, what).message()};
}

bool has_content(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && status.st_size > 0;
}

void remove_store(const std::string& path) {
  for (std::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
    ::unlink((path + std::string(suffix)).c_str());
  }
}

Result<void> sync_path(const std::string& path, int flags) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd || ::fsync(fd.get()) != 0) {
    return system_error("sync " + path);
  }
  return {};
}

std::string folder_of(const std::string& path) {
  size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<void> fill_store(const std::string& path, const std::string& vfs) {
  SABIR_ASSIGN_OR_RETURN(SqliteConnection db, SqliteConnection::open(path, vfs, 0));
  SABIR_RETURN_IF_ERROR(db.run("PRAGMA journal_mode = WAL"));
  SABIR_RETURN_IF_ERROR(db.run("PRAGMA application_id = " + std::to_string(kApplicationId)));
  SABIR_RETURN_IF_ERROR(db.run("PRAGMA user_version = " + std::to_string(kSchemaVersion)));
  SABIR_RETURN_IF_ERROR(
      db.run("CREATE TABLE rows (tab TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL,"
             " PRIMARY KEY (tab, key)) WITHOUT ROWID"));
  SABIR_RETURN_IF_ERROR(db.run(
      "CREATE TABLE seal (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL, commits INTEGER NOT NULL,"
      " row_count INTEGER NOT NULL, row_sum INTEGER NOT NULL, sum INTEGER NOT NULL)"));
  SABIR_RETURN_IF_ERROR(db.run("INSERT INTO seal VALUES (1, 0, 0, 0, 0, " +
                               std::to_string(static_cast<int64_t>(StoreSeal().sum())) + ")"));
  return db.run("PRAGMA wal_checkpoint(TRUNCATE)");
}

// Whatever `visit` does with the chunks of a file.
template <typename Visit>
Result<void> read_file(const std::string& path, Visit visit) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return system_error("open " + path);
  }
  std::vector<char> chunk(kChunkBytes);
  while (true) {
    ssize_t size = ::read(fd.get(), chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      return system_error("read " + path);
    }
    if (size == 0) {
      return {};
    }
    SABIR_RETURN_IF_ERROR(visit(std::string_view(chunk.data(), static_cast<size_t>(size))));
  }
}

Result<void> copy_file(const std::string& from, const std::string& to) {
  std::string unfinished = to + ".new";
  UniqueFd fd(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) {
    return system_error("open " + unfinished);
  }
  Result<void> copied = read_file(from, [&](std::string_view chunk) -> Result<void> {
    while (!chunk.empty()) {
      ssize_t size = ::write(fd.get(), chunk.data(), chunk.size());
      if (size < 0 && errno != EINTR) {
        return system_error("write " + unfinished);
      }
      chunk.remove_prefix(size < 0 ? 0 : static_cast<size_t>(size));
    }
    return {};
  });
  if (copied.ok() && (::fsync(fd.get()) != 0 || ::rename(unfinished.c_str(), to.c_str()) != 0)) {
    copied = system_error("write " + to);
  }
  if (!copied.ok()) {
    ::unlink(unfinished.c_str());
  }
  return copied;
}

}  // namespace

uint64_t StoreSeal::sum() const {
  std::array<uint64_t, 4> fields = {epoch, commits, row_count, row_sum};
  return XXH64(fields.data(), sizeof(fields), 0);
}

Result<void> make_store(const std::string& path, const std::string& vfs) {
  std::string unfinished = path + ".new-" + std::to_string(::getpid());
  remove_store(unfinished);
  UniqueFd fd(::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) {
    return system_error("create " + unfinished);
  }
  fd.reset();
  Result<void> made = fill_store(unfinished, vfs);
  if (made.ok()) {
    made = sync_path(unfinished, 0);
  }
  // A link never replaces what somebody else made meanwhile.
  if (made.ok() && ::link(unfinished.c_str(), path.c_str()) != 0 && errno != EEXIST) {
    made = system_error("create " + path);
  }
  remove_store(unfinished);
  if (made.ok()) {
    made = sync_path(folder_of(path), O_DIRECTORY);
  }
  return made;
}

Result<FileFinding> look_at_store(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd && errno == ENOENT) {
    if (has_content(path + "-wal")) {
      return FileFinding{FileLook::kDamaged, "it is gone, and its log " + path + "-wal is there"};
    }
    return FileFinding{FileLook::kAbsent, {}};
  }
  if (!fd) {
    return system_error("open " + path);
  }
  std::array<char, kHeaderBytes> header = {};
  ssize_t size = ::read(fd.get(), header.data(), header.size());
  if (size < 0) {
    return system_error("read " + path);
  }
  std::string_view head(header.data(), static_cast<size_t>(size));
  if (head.size() < header.size()) {
    return FileFinding{FileLook::kDamaged, "it has " + std::to_string(size) + " bytes"};
  }
  if (head.substr(0, kMagic.size()) != kMagic || header[kFormatOffset] != 2 || header[kFormatOffset + 1] != 2) {
    return FileFinding{FileLook::kDamaged, "it does not begin like one"};
  }
  return FileFinding{FileLook::kGood, {}};
}

Result<std::string> keep_copy(const std::string& path) {
  XXH64_state_t state;
  XXH64_reset(&state, 0);
  std::vector<std::string_view> suffixes;
  for (std::string_view suffix : {"", "-wal"}) {
    std::string from = path + std::string(suffix);
    if (::access(from.c_str(), F_OK) == 0) {
      suffixes.push_back(suffix);
      SABIR_RETURN_IF_ERROR(read_file(from, [&](std::string_view chunk) -> Result<void> {
        XXH64_update(&state, chunk.data(), chunk.size());
        return {};
      }));
    }
  }
  std::array<char, 17> digest = {};
  std::snprintf(digest.data(), digest.size(), "%016llx", static_cast<unsigned long long>(XXH64_digest(&state)));
  std::string copy = path + ".damaged-" + digest.data();
  for (std::string_view suffix : suffixes) {
    std::string to = copy + std::string(suffix);
    if (::access(to.c_str(), F_OK) != 0) {
      SABIR_RETURN_IF_ERROR(copy_file(path + std::string(suffix), to));
    }
  }
  return copy;
}

}  // namespace sabir::control
