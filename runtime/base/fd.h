// UniqueFd: a file descriptor that is closed once, by its owner.
#pragma once

#include <utility>

namespace sabir {

class [[nodiscard]] UniqueFd {
 public:
  static constexpr int kNone = -1;

  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }

  // Gives the descriptor up without closing it.
  int release() { return std::exchange(fd_, kNone); }
  // Closes the one it holds (errno stays as it was) and takes this one.
  void reset(int fd = kNone);

 private:
  int fd_ = kNone;
};

}  // namespace sabir
