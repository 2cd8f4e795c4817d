// The C++ worker of jobs whose driver is in another language, or has its functions in libraries: it loads those of the
// job's code path.
#include <cstdio>

#include "sabir/client.hpp"

int main() {
  if (!sabir::detail::launched_as_worker()) {
    std::fprintf(stderr, "sabir-cpp-worker is started by sabird, which says where to join\n");
    return 2;
  }
  sabir::init();
}
