#include "runtime/base/session_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>

#include "runtime/base/ids.h"

namespace sabir {
namespace {

constexpr int kMaxDepth = 8;
constexpr size_t kMaxInfoBytes = 64 << 10;
constexpr std::string_view kUnfinishedPrefix = ".new-";
// A directory without a lock file that is older than this was left by somebody who died while making it.
constexpr int64_t kUnfinishedSeconds = 60;

UniqueFd open_directory(int parent, const char* name) {
  return UniqueFd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void for_each_name(int directory, const std::function<void(const char*)>& visit) {
  // fdopendir takes the descriptor over and its position is shared with duplicates: open it anew.
  int fd = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, int (*)(DIR*)> stream(fd >= 0 ? ::fdopendir(fd) : nullptr, ::closedir);
  if (!stream) {
    return;
  }
  while (const dirent* entry = ::readdir(stream.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") {
      visit(entry->d_name);
    }
  }
}

// By descriptors, so that a directory that takes the name meanwhile loses nothing. `keep` is a name to leave.
void empty_directory(int directory, std::string_view keep, int depth = 0) {
  for_each_name(directory, [&](const char* name) {
    if (name == keep || ::unlinkat(directory, name, 0) == 0 || depth >= kMaxDepth) {
      return;
    }
    if (UniqueFd child = open_directory(directory, name)) {
      empty_directory(child.get(), "", depth + 1);
    }
    ::unlinkat(directory, name, AT_REMOVEDIR);
  });
}

struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool take_lock(int fd) {
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

UniqueFd open_lock(int directory, int flags) {
  return UniqueFd(::openat(directory, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
}

bool owned_by_us(int fd) {
  struct stat status = {};
  return ::fstat(fd, &status) == 0 && status.st_uid == ::geteuid();
}

// True: the directory of that name was nobody's, and is gone (or was taken over by somebody else at once).
bool remove_if_stale(const std::string& path) {
  UniqueFd directory = open_directory(AT_FDCWD, path.c_str());
  if (!directory || !owned_by_us(directory.get())) {
    return false;
  }
  if (::faccessat(directory.get(), "head.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    return false;  // a head's state (head/head_state.h) that lies here: it is to outlive its sessions
  }
  UniqueFd lock = open_lock(directory.get(), 0);
  if (lock) {
    if (!take_lock(lock.get())) {
      return false;
    }
  } else {
    struct stat status = {};
    if (errno != ENOENT || ::fstat(directory.get(), &status) != 0 ||
        std::time(nullptr) - status.st_mtime < kUnfinishedSeconds) {
      return false;
    }
  }
  // The lock file goes last: until then whoever else comes by sees that the directory is taken.
  empty_directory(directory.get(), "lock");
  ::unlinkat(directory.get(), "lock", 0);
  ::rmdir(path.c_str());
  return true;
}

Result<void> write_file(const std::string& path, std::string_view text) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) {
    return Error::from_errno(errno, "open " + path);
  }
  while (!text.empty()) {
    ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return Error::from_errno(errno, "write " + path);
    }
    text.remove_prefix(written > 0 ? static_cast<size_t>(written) : 0);
  }
  return {};
}

std::string parent_of(const std::string& path) {
  size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Renames an unfinished directory to its name. It may replace an empty one, never one with something in it.
Result<void> move_into_place(const std::string& from, const std::string& path) {
  if (::rename(from.c_str(), path.c_str()) == 0) {
    return {};
  }
  if (errno != ENOTEMPTY && errno != EEXIST) {
    return Error::from_errno(errno, "rename " + from + " to " + path);
  }
  SABIR_RETURN_IF_ERROR(verify_private_directory(path));
  if (!remove_if_stale(path)) {
    return already_exists_error("the session directory " + path + " is in use by a running session");
  }
  if (::rename(from.c_str(), path.c_str()) != 0) {
    return Error::from_errno(errno, "rename " + from + " to " + path);
  }
  return {};
}

}  // namespace

std::string default_session_root() {
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && runtime[0] == '/') {
    if (verify_private_directory(runtime).ok()) {
      return std::string(runtime) + "/sabir";
    }
  }
  return "/tmp/sabir-" + std::to_string(::geteuid());
}

std::string new_session_path(std::string_view root) {
  return std::string(root) + "/" + std::to_string(std::time(nullptr)) + "-" + IdBits::random().hex().substr(0, 12);
}

Result<void> verify_private_directory(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    return Error::from_errno(errno, "stat " + path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return invalid_error(path + " is not a directory");
  }
  if (status.st_uid != ::geteuid()) {
    return invalid_error(path + " belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                         std::to_string(::geteuid()));
  }
  if ((status.st_mode & 077) != 0) {
    return invalid_error(path + " is open to other users; make it private (chmod 700) or choose another directory");
  }
  return {};
}

Result<void> ensure_private_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::from_errno(errno, "mkdir " + path);
  }
  return verify_private_directory(path);
}

bool is_session_live(const std::string& path) {
  UniqueFd directory = open_directory(AT_FDCWD, path.c_str());
  if (!directory || !owned_by_us(directory.get())) {
    return false;
  }
  UniqueFd file = open_lock(directory.get(), 0);
  if (!file) {
    return false;
  }
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::vector<SessionFiles> find_live_sessions(const std::string& root) {
  std::vector<SessionFiles> found;
  UniqueFd directory = open_directory(AT_FDCWD, root.c_str());
  if (!directory || !owned_by_us(directory.get())) {
    return found;
  }
  for_each_name(directory.get(), [&](const char* name) {
    std::string path = root + "/" + name;
    struct stat status = {};
    if (name[0] != '.' && ::stat((path + "/info.json").c_str(), &status) == 0 && is_session_live(path)) {
      bool is_private = ::access((path + "/private").c_str(), F_OK) == 0;
      found.push_back(
          {std::move(path), status.st_mtim.tv_sec * int64_t{1'000'000'000} + status.st_mtim.tv_nsec, is_private});
    }
  });
  std::sort(found.begin(), found.end(),
            [](const SessionFiles& a, const SessionFiles& b) { return a.started_unix_ns > b.started_unix_ns; });
  return found;
}

size_t remove_stale_sessions(const std::string& root) {
  size_t removed = 0;
  UniqueFd directory = open_directory(AT_FDCWD, root.c_str());
  if (!directory || !owned_by_us(directory.get())) {
    return removed;
  }
  for_each_name(directory.get(), [&](const char* name) { removed += remove_if_stale(root + "/" + name) ? 1 : 0; });
  return removed;
}

Result<std::string> read_session_info(const std::string& path) {
  UniqueFd file(::open((path + "/info.json").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) {
    return Error::from_errno(errno, "open " + path + "/info.json");
  }
  std::string text(kMaxInfoBytes, '\0');
  ssize_t size_bytes = ::read(file.get(), text.data(), text.size());
  if (size_bytes < 0) {
    return Error::from_errno(errno, "read " + path + "/info.json");
  }
  text.resize(static_cast<size_t>(size_bytes));
  return text;
}

Result<SessionDir> SessionDir::create(const std::string& path) {
  if ((path + "/node.sock").size() > kMaxSocketPathBytes) {
    return invalid_error("the session directory's path is too long for a socket in it (" + std::to_string(path.size()) +
                         " bytes): " + path);
  }
  std::string parent = parent_of(path);
  if (::mkdir(parent.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error::from_errno(errno, "mkdir " + parent);
  }
  std::string unfinished = parent + "/" + std::string(kUnfinishedPrefix) + IdBits::random().hex();
  SABIR_RETURN_IF_ERROR(ensure_private_directory(unfinished));
  UniqueFd directory = open_directory(AT_FDCWD, unfinished.c_str());
  UniqueFd lock = directory ? open_lock(directory.get(), O_CREAT | O_EXCL) : UniqueFd();
  if (!lock || !take_lock(lock.get()) || ::mkdirat(directory.get(), "logs", 0700) != 0) {
    return Error::from_errno(errno, "prepare " + unfinished);
  }
  SessionDir made(path, std::move(lock));
  if (Result<void> moved = move_into_place(unfinished, path); !moved.ok()) {
    made.path_ = unfinished;
    made.remove();
    return std::move(moved).error();
  }
  return made;
}

Result<void> SessionDir::mark_private() const { return write_file(path_ + "/private", ""); }

Result<void> SessionDir::publish(const std::string& name, std::string_view text) const {
  std::string unfinished = path_ + "/." + name;
  SABIR_RETURN_IF_ERROR(write_file(unfinished, text));
  if (::rename(unfinished.c_str(), (path_ + "/" + name).c_str()) != 0) {
    return Error::from_errno(errno, "rename " + unfinished);
  }
  return {};
}

void SessionDir::remove() {
  if (!lock_) {
    return;
  }
  if (UniqueFd directory = open_directory(AT_FDCWD, path_.c_str())) {
    empty_directory(directory.get(), "lock");
    ::unlinkat(directory.get(), "lock", 0);
    ::rmdir(path_.c_str());
  }
  lock_.reset();
}

}  // namespace sabir
