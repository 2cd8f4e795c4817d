// The directory of a session: where its node's socket, its description and its logs lie, and how anybody tells whether
// it is alive. A directory is live exactly as long as its node holds the lock of its file `lock`: the lock belongs to
// an open file, so it goes with the process, however that ends.
//
//   D/lock       locked by sabird (F_OFD_SETLK)
//   D/node.sock  the control channel; 0600
//   D/info.json  written last: the session takes processes
//   D/private    there if the session ends with the process that started it
//   D/logs/      rotating log files
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"

namespace sabir {

// A socket's path has 108 bytes on Linux; some are left for whoever wraps the path.
inline constexpr size_t kMaxSocketPathBytes = 99;

// $XDG_RUNTIME_DIR/sabir, where that directory exists and is this user's; else /tmp/sabir-UID.
std::string default_session_root();

// A fresh name beneath `root`; makes nothing.
std::string new_session_path(std::string_view root);

// It exists, is a directory and no symbolic link, is this user's, and nobody else may look in.
Result<void> verify_private_directory(const std::string& path);

// Makes `path` (and nothing above it) with mode 0700 if it is not there, and verifies it.
Result<void> ensure_private_directory(const std::string& path);

// Live: its node runs. Never waits and never takes the lock, so asking disturbs nobody.
bool is_session_live(const std::string& path);

struct SessionFiles {
  std::string path;
  int64_t started_unix_ns = 0;
  bool is_private = false;  // it ends with the process that started it
};
// The live sessions beneath `root` that take processes, newest first.
std::vector<SessionFiles> find_live_sessions(const std::string& root);

// Removes what dead sessions left beneath `root`, and says how many. Whoever starts or stops something calls it. Two
// may do so at once, and beside a session that is just being made.
size_t remove_stale_sessions(const std::string& root);

// The text of D/info.json.
Result<std::string> read_session_info(const std::string& path);

// The node's side: the directory and its lock.
class SessionDir {
 public:
  // Makes and locks the directory; it appears under its name only when it is locked. A stale one of that name is
  // removed first; a live one is kAlreadyExists. The parent is made, 0700, if it is missing.
  static Result<SessionDir> create(const std::string& path);

  SessionDir(SessionDir&&) = default;
  SessionDir& operator=(SessionDir&&) = delete;

  const std::string& path() const { return path_; }
  std::string logs_path() const { return path_ + "/logs"; }

  // Before info.json: it ends with the process that started it, so nobody is to join it unasked.
  Result<void> mark_private() const;
  // A file of mode 0600 in the directory, whole or not at all; may be called again. From "info.json" on others find the
  // session.
  Result<void> publish(const std::string& name, std::string_view text) const;
  // Takes the directory away with all that is in it; the lock goes last. Idempotent.
  void remove();

 private:
  SessionDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;
};

}  // namespace sabir
