#include "runtime/daemon/bounded_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "runtime/base/clock.h"

namespace sabir::daemon {
namespace {

constexpr int64_t kLookNs = 60 * kSecondNs;

UniqueFd open_file(const std::string& path) {
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
}

}  // namespace

Result<std::unique_ptr<BoundedLog>> BoundedLog::open(loop::EventLoop& loop, std::string path, off_t max_bytes) {
  UniqueFd file = open_file(path);
  if (!file) {
    return Error::from_errno(errno, "open " + path);
  }
  return std::unique_ptr<BoundedLog>(new BoundedLog(loop, std::move(path), max_bytes, std::move(file)));
}

BoundedLog::BoundedLog(loop::EventLoop& loop, std::string path, off_t max_bytes, UniqueFd file)
    : path_(std::move(path)), max_bytes_(max_bytes), file_(std::move(file)), timer_(loop, [this] { look(); }) {
  timer_.start_periodic(kLookNs);
}

void BoundedLog::look() {
  struct stat status = {};
  if (::fstat(file_.get(), &status) != 0 || status.st_size <= max_bytes_) {
    return;
  }
  ::rename(path_.c_str(), (path_ + ".1").c_str());
  if (UniqueFd fresh = open_file(path_)) {
    ::dup3(fresh.get(), file_.get(), O_CLOEXEC);  // every Logger has this number
  }
}

}  // namespace sabir::daemon
