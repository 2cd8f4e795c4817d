#include "runtime/head/head_state.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/base/hex.h"
#include "runtime/base/session_dir.h"

namespace sabir::head {
namespace {

using Json = nlohmann::json;

constexpr size_t kTokenBytes = 32;
constexpr size_t kMaxFileBytes = 64 << 10;
constexpr int kFormat = 1;

std::string file_path(const std::string& directory) { return directory + "/head.json"; }

Result<void> make_directories(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    std::string above = path.substr(0, slash);
    if (::mkdir(above.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error::from_errno(errno, "mkdir " + above);
    }
  }
  return ensure_private_directory(path);
}

// Nothing: there is none.
Result<std::optional<std::string>> read_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) {
    return std::optional<std::string>();
  }
  std::string text(kMaxFileBytes, '\0');
  ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) {
    return Error::from_errno(errno, "read " + path);
  }
  text.resize(static_cast<size_t>(size));
  return std::optional(std::move(text));
}

Result<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno != EINTR) {
      return Error::from_errno(errno, "write");
    }
    text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(size, 0)));
  }
  return {};
}

std::string new_token() { return std::string(IdBits::random().view()) + std::string(IdBits::random().view()); }

}  // namespace

std::string default_state_directory() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') {
    return std::string(state) + "/sabir/head";
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || home[0] != '/') {
    const passwd* user = ::getpwuid(::getuid());  // one thread
    home = user != nullptr ? user->pw_dir : "/tmp";
  }
  return std::string(home) + "/.local/state/sabir/head";
}

Result<HeadState> HeadState::open(const std::string& directory) {
  if (directory.empty() || directory[0] != '/') {
    return invalid_error("a state directory is an absolute path, not \"" + directory + "\"");
  }
  SABIR_RETURN_IF_ERROR(make_directories(directory));
  std::string lock_path = directory + "/head.lock";
  UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) {
    return Error::from_errno(errno, "open " + lock_path);
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return already_exists_error("another head runs on the state directory " + directory +
                                  ": stop it, or give this one a --state-dir of its own");
    }
    return Error::from_errno(errno, "lock " + lock_path);
  }
  HeadState state(directory, std::move(lock));
  SABIR_ASSIGN_OR_RETURN(std::optional<std::string> text, read_file(file_path(directory)));
  if (text) {
    SABIR_RETURN_IF_ERROR(state.load(*text));
    return state;
  }
  state.node_id_ = IdBits::random();
  state.cluster_id_ = IdBits::random();
  state.token_ = new_token();
  SABIR_RETURN_IF_ERROR(state.save());
  return state;
}

Result<void> HeadState::load(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  auto damaged = [this] {
    return Error(ErrorKind::kSystem, file_path(directory_) +
                                         " is damaged. It is left as it is: put a backup in its place, or take another "
                                         "--state-dir to begin a cluster anew");
  };
  if (!json.is_object() || !json.contains("format") || !json["format"].is_number_integer()) {
    return damaged();
  }
  if (json["format"] > kFormat) {
    return unsupported_error(file_path(directory_) + " was written by a newer Sabir: start that version");
  }
  auto bytes = [&](const char* name) -> std::optional<std::string> {
    if (!json.contains(name) || !json[name].is_string()) {
      return std::nullopt;
    }
    auto hex = json[name].get<std::string>();
    std::string read(hex.size() / 2, '\0');
    bool good = read_hex(hex, {reinterpret_cast<uint8_t*>(read.data()), read.size()});
    return good ? std::optional(std::move(read)) : std::nullopt;
  };
  std::optional<std::string> node = bytes("node_id");
  std::optional<std::string> cluster = bytes("cluster_id");
  std::optional<std::string> token = bytes("token");
  std::optional<IdBits> node_id = node ? IdBits::from_bytes(*node) : std::nullopt;
  std::optional<IdBits> cluster_id = cluster ? IdBits::from_bytes(*cluster) : std::nullopt;
  if (!node_id || !cluster_id || !token || token->size() != kTokenBytes ||
      !json.value("token_until_unix_ms", Json()).is_number() || !json.value("port", Json()).is_number_unsigned() ||
      !json.value("control_served", Json()).is_boolean()) {
    return damaged();
  }
  node_id_ = *node_id;
  cluster_id_ = *cluster_id;
  token_ = *token;
  token_until_unix_ms_ = json["token_until_unix_ms"].get<int64_t>();
  port = json["port"].get<uint16_t>();
  control_served = json["control_served"].get<bool>();
  return {};
}

Result<void> HeadState::save() const {
  Json json = {{"format", kFormat},
               {"node_id", node_id_.hex()},
               {"cluster_id", cluster_id_.hex()},
               {"token", to_hex(token_)},
               {"token_until_unix_ms", token_until_unix_ms_},
               {"port", port},
               {"control_served", control_served}};
  std::string path = file_path(directory_);
  std::string fresh = path + ".new";
  UniqueFd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    return Error::from_errno(errno, "open " + fresh);
  }
  SABIR_RETURN_IF_ERROR(write_all(file.get(), json.dump(1) + "\n"));
  if (::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    return Error::from_errno(errno, "write " + path);
  }
  UniqueFd folder(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) {
    return Error::from_errno(errno, "sync " + directory_);
  }
  return {};
}

int64_t HeadState::token_life_ns(int64_t now_unix_ms) const {
  if (token_until_unix_ms_ == 0) {
    return -1;
  }
  return std::max<int64_t>(0, token_until_unix_ms_ - now_unix_ms) * kMillisecondNs;
}

void HeadState::renew_token(int64_t life_ns, int64_t now_unix_ms) {
  token_ = new_token();
  token_until_unix_ms_ = life_ns < 0 ? 0 : now_unix_ms + life_ns / kMillisecondNs;
}

}  // namespace sabir::head
