// A memory mapping with an owner, and memfds that cannot change their size (T2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "runtime/base/fd.h"
#include "runtime/base/result.h"
#include "runtime/shm/limits.h"

namespace sabir::shm {

// Unmapped by its owner, once.
class Mapping {
 public:
  Mapping() = default;
  Mapping(void* address, size_t size_bytes) : address_(address), size_bytes_(size_bytes) {}
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  ~Mapping();

  void* address() const { return address_; }
  size_t size_bytes() const { return size_bytes_; }
  bool valid() const { return address_ != nullptr; }

 private:
  void* address_ = nullptr;
  size_t size_bytes_ = 0;
};

// A sparse memfd of this size, without seals yet. `name` is seen in /proc/PID/maps.
Result<UniqueFd> create_memfd(const char* name, uint64_t size_bytes);

// SHRINK, GROW and SEAL; with `future_write` also FUTURE_WRITE: mappings that exist stay writable, new ones cannot be.
Result<void> seal_memfd(int fd, bool future_write);

// The size of a memfd with at least the seals of seal_memfd; else kInvalid. No access within that size can ever fault
// for want of file.
Result<uint64_t> sealed_memfd_size(int fd, const char* name, bool future_write);
// The same, and kInvalid for any other size.
Result<void> check_memfd(int fd, const char* name, uint64_t size_bytes, bool future_write);

// Address space for size_bytes at a multiple of `alignment` (a power of two), inaccessible. Map into it with map_at.
Result<Mapping> reserve(size_t size_bytes, size_t alignment = kHugePageBytes);

// Maps the file's range over `address`, which lies inside a reservation. Address and offset are congruent modulo 2 MiB
// when the reservation and both offsets are: only then are 2 MiB pages mapped as such.
Result<void> map_at(void* address, size_t size_bytes, int protection, int fd, uint64_t offset);

// Keeps a mapping out of core dumps, and out of forked children (T2).
void exclude_from_fork(void* address, size_t size_bytes);
void exclude_from_dump(void* address, size_t size_bytes);

// Shared mapping of the whole file at a 2 MiB boundary, with both excluded.
Result<Mapping> map_file(int fd, size_t size_bytes, int protection);

}  // namespace sabir::shm
