#include "runtime/store/mapping.h"

#include <sys/mman.h>

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace sabir::store {
namespace {

constexpr uint64_t page_floor(uint64_t value) { return value & ~(shm::kPageBytes - 1); }
constexpr uint64_t page_ceiling(uint64_t value) { return page_floor(value + shm::kPageBytes - 1); }

}  // namespace

Result<ObjectsView> ObjectsView::map(int objects_fd) {
  SABIR_ASSIGN_OR_RETURN(uint64_t size_bytes, shm::sealed_memfd_size(objects_fd, "objects", false));
  SABIR_ASSIGN_OR_RETURN(shm::Mapping mapping, shm::reserve(size_bytes));
  SABIR_RETURN_IF_ERROR(shm::map_at(mapping.address(), size_bytes, PROT_READ, objects_fd, 0));
  shm::exclude_from_dump(mapping.address(), size_bytes);
  return ObjectsView(std::move(mapping));
}

Result<std::span<const uint8_t>> ObjectsView::view(uint64_t offset, uint64_t size_bytes) const {
  if (offset > this->size_bytes() || size_bytes > this->size_bytes() - offset) {
    return invalid_error(std::to_string(size_bytes) + " bytes at " + std::to_string(offset) +
                         " are not inside the object store");
  }
  return std::span<const uint8_t>(static_cast<const uint8_t*>(mapping_.address()) + offset, size_bytes);
}

bool ObjectsView::contains(const void* address) const {
  auto start = reinterpret_cast<uintptr_t>(mapping_.address());
  auto place = reinterpret_cast<uintptr_t>(address);
  return place >= start && place - start < mapping_.size_bytes();
}

Result<WritableAlias> WritableAlias::map(int objects_fd, uint64_t offset, uint64_t size_bytes) {
  uint64_t first = page_floor(offset);
  uint64_t mapped_bytes = page_ceiling(offset + size_bytes) - first;
  uint64_t shift = first % shm::kHugePageBytes;
  SABIR_ASSIGN_OR_RETURN(shm::Mapping space, shm::reserve(shift + mapped_bytes));
  uint8_t* mapped = static_cast<uint8_t*>(space.address()) + shift;
  SABIR_RETURN_IF_ERROR(shm::map_at(mapped, mapped_bytes, PROT_READ | PROT_WRITE, objects_fd, first));
  shm::exclude_from_fork(mapped, mapped_bytes);
  shm::exclude_from_dump(mapped, mapped_bytes);
  return WritableAlias(std::move(space), mapped + (offset - first), offset, size_bytes);
}

bool WritableAlias::contains(uint64_t offset, uint64_t size_bytes) const {
  return offset >= offset_ && size_bytes <= size_bytes_ && offset - offset_ <= size_bytes_ - size_bytes;
}

void WritableAlias::populate(uint64_t offset, uint64_t size_bytes) {
  SABIR_CHECK(contains(offset, size_bytes), "offset=", offset);
  uint64_t begin = std::max(page_floor(offset), populated_end_);
  uint64_t end = page_ceiling(offset + size_bytes);
  if (begin >= end) {
    return;
  }
  // Counted from the page of offset_, where the mapping begins. An old kernel refuses: then the pages fault one by one.
  uint8_t* mapped = data_ - (offset_ - page_floor(offset_));
  ::madvise(mapped + (begin - page_floor(offset_)), end - begin, MADV_POPULATE_WRITE);
  populated_end_ = end;
}

}  // namespace sabir::store
