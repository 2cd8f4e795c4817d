// A test program is driver and worker at once: its workers are the program again, which main() makes workers.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/remote.hpp"

namespace sabir_test {

// A folder for sessions, of this process.
const std::string& session_root();

// A node of its own, with two CPUs unless said otherwise.
sabir::Config local(double cpus = 2);

// One node for all tests of a suite.
class WithSession : public testing::Test {
 public:
  static void SetUpTestSuite() { sabir::init(local()); }
  static void TearDownTestSuite() { sabir::shutdown(); }
};

// The error that getting the reference throws; fails if it is of another type.
template <typename E, typename T>
E error_of(const sabir::ObjectRef<T>& ref) {
  try {
    ref.get(std::chrono::seconds(50));
  } catch (const E& error) {
    return error;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another error: " << error.what();
    return E(SABIR_INTERNAL, "");
  }
  ADD_FAILURE() << "no error";
  return E(SABIR_INTERNAL, "");
}

}  // namespace sabir_test
