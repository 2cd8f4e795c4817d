#include "runtime/base/fd.h"

#include <unistd.h>

#include <cerrno>

#include "runtime/base/check.h"

namespace sabir {

void UniqueFd::reset(int fd) {
  int old = std::exchange(fd_, fd);
  if (old < 0) {
    return;
  }
  SABIR_CHECK(old != fd, "fd=", fd);
  int saved_errno = errno;
  // On Linux the descriptor is gone even when close reports an error. EBADF means that somebody
  // else closed ours, or that we close somebody else's.
  int failed = ::close(old);
  SABIR_CHECK(failed == 0 || errno != EBADF, "fd=", old);
  errno = saved_errno;
}

}  // namespace sabir
