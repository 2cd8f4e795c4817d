#include "runtime/base/clock.h"

#include <ctime>

namespace sabir {

int64_t SteadyClock::now_ns() const {
  timespec now = {};
  int failed = ::clock_gettime(CLOCK_MONOTONIC, &now);
  SABIR_CHECK(failed == 0);
  return int64_t{now.tv_sec} * kSecondNs + now.tv_nsec;
}

}  // namespace sabir
