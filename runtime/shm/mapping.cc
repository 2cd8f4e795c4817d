#include "runtime/shm/mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace sabir::shm {
namespace {

int seals_of(bool future_write) {
  return F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | (future_write ? F_SEAL_FUTURE_WRITE : 0);
}

}  // namespace

Mapping::~Mapping() {
  if (address_ != nullptr) {
    ::munmap(address_, size_bytes_);
  }
}

Result<UniqueFd> create_memfd(const char* name, uint64_t size_bytes) {
  // NOEXEC_SEAL is newer than what we must run on.
  UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL));
  if (!fd.valid() && errno == EINVAL) {
    fd.reset(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  }
  if (!fd.valid()) {
    return Error::from_errno(errno, "memfd_create");
  }
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
    return Error::from_errno(errno, "size a shared segment");
  }
  return fd;
}

Result<void> seal_memfd(int fd, bool future_write) {
  if (::fcntl(fd, F_ADD_SEALS, seals_of(future_write)) != 0) {
    return Error::from_errno(errno, "seal a shared segment");
  }
  return {};
}

Result<uint64_t> sealed_memfd_size(int fd, const char* name, bool future_write) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    return Error::from_errno(errno, std::string("segment ") + name);
  }
  int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || !S_ISREG(status.st_mode)) {
    return invalid_error(std::string("segment ") + name + " is not a memfd");
  }
  if ((seals & seals_of(future_write)) != seals_of(future_write)) {
    return invalid_error(std::string("segment ") + name + " lacks seals: its size may change");
  }
  return static_cast<uint64_t>(status.st_size);
}

Result<void> check_memfd(int fd, const char* name, uint64_t size_bytes, bool future_write) {
  SABIR_ASSIGN_OR_RETURN(uint64_t found_bytes, sealed_memfd_size(fd, name, future_write));
  if (found_bytes != size_bytes) {
    return invalid_error(std::string("segment ") + name + " has " + std::to_string(found_bytes) + " bytes instead of " +
                         std::to_string(size_bytes));
  }
  return {};
}

Result<Mapping> reserve(size_t size_bytes, size_t alignment) {
  size_t page_mask = kPageBytes - 1;
  size_t rounded_bytes = (size_bytes + page_mask) & ~page_mask;
  size_t padded_bytes = rounded_bytes + alignment;
  void* start = ::mmap(nullptr, padded_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED) {
    return Error::from_errno(errno, "reserve address space");
  }
  auto first = reinterpret_cast<uintptr_t>(start);
  uintptr_t aligned = (first + alignment - 1) & ~(alignment - 1);
  if (aligned != first) {
    ::munmap(start, aligned - first);
  }
  uintptr_t slack = first + padded_bytes - (aligned + rounded_bytes);
  if (slack != 0) {
    ::munmap(reinterpret_cast<void*>(aligned + rounded_bytes), slack);
  }
  return Mapping(reinterpret_cast<void*>(aligned), rounded_bytes);
}

Result<void> map_at(void* address, size_t size_bytes, int protection, int fd, uint64_t offset) {
  void* mapped =
      ::mmap(address, size_bytes, protection, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, static_cast<off_t>(offset));
  if (mapped == MAP_FAILED) {
    return Error::from_errno(errno, "map a shared segment");
  }
  return {};
}

void exclude_from_fork(void* address, size_t size_bytes) { ::madvise(address, size_bytes, MADV_DONTFORK); }

void exclude_from_dump(void* address, size_t size_bytes) { ::madvise(address, size_bytes, MADV_DONTDUMP); }

Result<Mapping> map_file(int fd, size_t size_bytes, int protection) {
  SABIR_ASSIGN_OR_RETURN(Mapping mapping, reserve(size_bytes));
  SABIR_RETURN_IF_ERROR(map_at(mapping.address(), mapping.size_bytes(), protection, fd, 0));
  exclude_from_fork(mapping.address(), mapping.size_bytes());
  exclude_from_dump(mapping.address(), mapping.size_bytes());
  return mapping;
}

}  // namespace sabir::shm
