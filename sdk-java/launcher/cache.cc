#include "sdk-java/launcher/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace sabir_java {
namespace {

constexpr size_t kRecordBytesMax = 1 << 20;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// FNV-1a: names files only, the key itself is compared.
uint64_t hash(const Words& words) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string& word : words) {
    for (size_t i = 0; i <= word.size(); ++i) {  // with the zero at its end
      hash = (hash ^ static_cast<uint8_t>(word.c_str()[i])) * 0x100000001b3;
    }
  }
  return hash;
}

void make_folders(const std::string& path) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), 0777);
  }
  ::mkdir(path.c_str(), 0777);
}

std::optional<std::string> read_all(int fd) {
  std::string bytes;
  char buffer[4096];
  for (;;) {
    ssize_t count = ::read(fd, buffer, sizeof(buffer));
    if (count <= 0) {
      return count == 0 ? std::optional(std::move(bytes)) : std::nullopt;
    }
    bytes.append(buffer, static_cast<size_t>(count));
    if (bytes.size() > kRecordBytesMax) {
      return std::nullopt;
    }
  }
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace

Cache Cache::of_user() {
  std::string base = environment("XDG_CACHE_HOME");
  if (base.empty() && !environment("HOME").empty()) {
    base = environment("HOME") + "/.cache";
  }
  return Cache(base.empty() ? "" : base + "/sabir/java");
}

std::string Cache::file(const Words& key) const {
  char name[40];
  std::snprintf(name, sizeof(name), "/worker-%016llx", static_cast<unsigned long long>(hash(key)));
  return folder_ + name;
}

std::optional<Words> Cache::find(const Words& key) const {
  if (folder_.empty()) {
    return std::nullopt;
  }
  int fd = ::open(file(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    return std::nullopt;
  }
  struct stat about {};
  bool is_ours = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_uid == ::geteuid() &&
                 (about.st_mode & (S_IWGRP | S_IWOTH)) == 0;
  std::optional<std::string> bytes = is_ours ? read_all(fd) : std::nullopt;
  ::close(fd);
  return bytes ? read_record(*bytes, key) : std::nullopt;
}

void Cache::keep(const Words& key, const Words& command) const {
  if (folder_.empty()) {
    return;
  }
  make_folders(folder_);
  std::string path = file(key);
  std::string fresh = path + ".XXXXXX";
  int fd = ::mkostemp(fresh.data(), O_CLOEXEC);
  if (fd < 0) {
    return;  // the next worker asks again
  }
  bool written = write_all(fd, write_record(key, command));
  if (::close(fd) != 0 || !written || ::rename(fresh.c_str(), path.c_str()) != 0) {
    ::unlink(fresh.c_str());
  }
}

}  // namespace sabir_java
