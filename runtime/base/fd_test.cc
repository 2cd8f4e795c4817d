#include "runtime/base/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace sabir {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

UniqueFd open_null() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

TEST(UniqueFdTest, ClosesAtTheEnd) {
  int raw = UniqueFd::kNone;
  {
    UniqueFd fd = open_null();
    raw = fd.get();
    EXPECT_TRUE(fd);
    EXPECT_TRUE(is_open(raw));
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFdTest, MovesOwnership) {
  UniqueFd first = open_null();
  int raw = first.get();
  UniqueFd second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT: the state after a move is part of the contract
  EXPECT_EQ(second.get(), raw);
  second = UniqueFd();
  EXPECT_FALSE(is_open(raw));
}

TEST(UniqueFdTest, ReleaseDoesNotClose) {
  UniqueFd fd = open_null();
  int raw = fd.release();
  EXPECT_FALSE(fd.valid());
  EXPECT_TRUE(is_open(raw));
  ::close(raw);
}

TEST(UniqueFdDeathTest, FindsADoubleClose) {
  UniqueFd fd = open_null();
  EXPECT_DEATH(
      {
        ::close(fd.get());
        fd.reset();
      },
      "check failed.*fd=");
}

}  // namespace
}  // namespace sabir
