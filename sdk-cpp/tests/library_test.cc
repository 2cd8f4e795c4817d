// Workers that are no programs of ours: sabir-cpp-worker, which loads libraries of the code path.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/fixture.hpp"

namespace sabir_test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string absolute(const char* variable) {
  char path[4096];
  const char* given = getenv(variable);
  return given != nullptr && realpath(given, path) != nullptr ? path : "";
}

class Libraries : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = session_root() + "/code";
    ASSERT_EQ(mkdir(folder_.c_str(), 0700), 0);
    ASSERT_EQ(symlink(absolute("REMOTE_LIBRARY").c_str(), (folder_ + "/libgeo.so").c_str()), 0);
    // In a folder, libraries that are not for us are left alone.
    std::ofstream(folder_ + "/other.so") << "a module of another language";
    std::ofstream(session_root() + "/damaged.so") << "no library";
    sabir::Config config = local(1);
    config.worker = absolute("CPP_WORKER");
    config.code_search_path = {"/does/not/exist.so"};
    EXPECT_THROW(sabir::init(config), sabir::InvalidArgumentError);
    std::string gone = session_root() + "/gone.so";
    std::ofstream(gone) << "what workers do not find any more";
    config.code_search_path = {folder_, session_root() + "/damaged.so", gone};
    sabir::init(config);
    unlink(gone.c_str());
  }
  static void TearDownTestSuite() {
    sabir::shutdown();
    unlink((folder_ + "/libgeo.so").c_str());
    unlink((folder_ + "/other.so").c_str());
    unlink((session_root() + "/damaged.so").c_str());
    rmdir(folder_.c_str());
  }
  static std::string folder_;
};
std::string Libraries::folder_;

TEST_F(Libraries, FunctionsByName) {
  EXPECT_EQ(sabir::cpp_function<double>("geo::scale").remote(2, 1.5).get(), 3);
  EXPECT_EQ(sabir::cpp_function<double>("geo::scale_twice").remote(1.0).get(), 4);
  auto error = error_of<sabir::TaskError>(sabir::cpp_function<int>("geo::throwing").remote());
  EXPECT_EQ(error.message(), "geo::throwing: std::out_of_range: out of the library");
}

TEST_F(Libraries, Actors) {
  auto tank = sabir::cpp_actor_class("geo::make_tank").remote(1.0);
  EXPECT_EQ(tank.task<double>("fill").remote(2).get(), 3);
  EXPECT_EQ(tank.task<double>("geo::Tank::fill").remote(2).get(), 5);
}

TEST_F(Libraries, WhatIsMissing) {
  std::string message = error_of<sabir::NotFoundError>(sabir::cpp_function<int>("plus").remote(1, 2)).message();
  EXPECT_THAT(message, HasSubstr("there is no function 'plus'"));
  EXPECT_THAT(message, HasSubstr("this executable: nothing registered"));
  EXPECT_THAT(message, HasSubstr("has geo::scale, geo::scale_twice, geo::throwing, geo::make_tank, geo::Tank::fill"));
  EXPECT_THAT(message, HasSubstr("damaged.so: cannot be loaded: "));
  EXPECT_THAT(message, HasSubstr("gone.so: does not exist"));
  EXPECT_THAT(message, Not(HasSubstr("other.so")));
}

}  // namespace
}  // namespace sabir_test
