#include "runtime/shm/testing/scoreboard.h"

#include <sys/mman.h>

namespace sabir::shm::testing {

std::unique_ptr<Scoreboard> Scoreboard::create() {
  void* memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  SABIR_CHECK(memory != MAP_FAILED);
  return std::unique_ptr<Scoreboard>(new Scoreboard(Mapping(memory, sizeof(Shared))));
}

}  // namespace sabir::shm::testing
