#include "runtime/base/result.h"

#include <cerrno>
#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sabir {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) {
    return invalid_error("odd");
  }
  return number / 2;
}

Result<int> quarter(int number) {
  SABIR_ASSIGN_OR_RETURN(int once, half(number));
  SABIR_ASSIGN_OR_RETURN(int twice, half(once));
  return twice;
}

Result<void> check_even(int number) {
  SABIR_RETURN_IF_ERROR(half(number));
  return {};
}

TEST(ResultTest, HoldsAValue) {
  Result<int> result = half(6);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*result, 3);
  EXPECT_EQ(std::move(result).value_or(7), 3);
}

TEST(ResultTest, HoldsAnError) {
  Result<int> result = half(5);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(result.error().to_string(), "invalid: odd");
  EXPECT_EQ(std::move(result).value_or(7), 7);
}

TEST(ResultTest, MacrosPassErrorsOn) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_FALSE(quarter(6).ok());
  EXPECT_TRUE(check_even(2).ok());
  EXPECT_EQ(check_even(3).error().message(), "odd");
}

TEST(ResultTest, MovesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(4);
  std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 4);
}

TEST(ResultTest, CanHoldAnErrorAsErrorOnly) {
  Result<std::string> result = timeout_error("too late");
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.error().kind(), ErrorKind::kTimeout);
}

TEST(ErrorTest, ErrnoDecidesTheKind) {
  Error error = Error::from_errno(ENOENT, "open /x");
  EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(error.error_number(), ENOENT);
  EXPECT_EQ(error.message(), "open /x: No such file or directory");
  EXPECT_EQ(Error::from_errno(EPIPE, "send").kind(), ErrorKind::kDisconnected);
  EXPECT_EQ(Error::from_errno(ENOMEM, "mmap").kind(), ErrorKind::kExhausted);
  EXPECT_EQ(Error::from_errno(EINVAL, "mmap").kind(), ErrorKind::kInvalid);
}

TEST(ErrorTest, ContextComesFirst) { EXPECT_EQ(invalid_error("odd").with_context("half").message(), "half: odd"); }

TEST(ResultDeathTest, ValueOfAnErrorEndsTheProcessAndNamesIt) {
  EXPECT_DEATH(half(5).value(), "result.ok\\(\\).*invalid: odd");
}

}  // namespace
}  // namespace sabir
