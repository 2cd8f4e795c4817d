#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "support/fixture.hpp"

namespace sabir_test {

const std::string& session_root() {
  static const std::string made = [] {
    char path[] = "/tmp/sabir-cpp-XXXXXX";
    return std::string(mkdtemp(path));
  }();
  return made;
}

sabir::Config local(double cpus) {
  sabir::Config config;
  config.address = "local";
  config.session_root = session_root();
  config.resources = {{"CPU", cpus}};
  config.store_bytes = 512 << 20;
  return config;
}

}  // namespace sabir_test

int main(int argc, char** argv) {
  if (sabir::detail::launched_as_worker()) {
    sabir::init();
  }
  testing::InitGoogleTest(&argc, argv);
  int status = RUN_ALL_TESTS();
  // Only sessions that went away completely leave an empty folder.
  if (rmdir(sabir_test::session_root().c_str()) != 0) {
    perror("rmdir of the sessions' folder");
    std::error_code ignored;
    std::filesystem::remove_all(sabir_test::session_root(), ignored);
    return 1;
  }
  return status;
}
