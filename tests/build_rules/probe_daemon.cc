// A program with the shape of sabird: libuv, jemalloc and Cap'n Proto in one executable.
#include <jemalloc/jemalloc.h>
#include <uv.h>

#include "tests/build_rules/echo.h"

int main() {
  size_t size_bytes = 0;
  void* block = ::mallocx(100, 0);
  size_bytes = ::sallocx(block, 0);
  ::dallocx(block, 0);

  uv_loop_t loop;
  if (::uv_loop_init(&loop) != 0 || ::uv_run(&loop, UV_RUN_DEFAULT) != 0 || ::uv_loop_close(&loop) != 0) {
    return 1;
  }
  return size_bytes >= 100 && sabir::build_rules::echo_round_trip() ? 0 : 2;
}
