// How a process sees the objects segment (O1): one read-only mapping of all of it, and writable aliases of what it has
// on loan. All mappings are congruent to their file offset modulo 2 MiB, else huge pages are of no use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/shm/mapping.h"

namespace sabir::store {

// The read-only view of all objects. Any thread. Stays mapped in forked children, so that their views go on to work.
class ObjectsView {
 public:
  static Result<ObjectsView> map(int objects_fd);

  uint64_t size_bytes() const { return mapping_.size_bytes(); }
  // kInvalid: not inside the segment. What comes from an entry is checked here, always (T3).
  Result<std::span<const uint8_t>> view(uint64_t offset, uint64_t size_bytes) const;
  // Whether an address lies in this mapping (zero copy: a value that is in the store already).
  bool contains(const void* address) const;

 private:
  explicit ObjectsView(shm::Mapping mapping) : mapping_(std::move(mapping)) {}

  shm::Mapping mapping_;
};

// One writable alias. Private to libsabir: user code never sees its address, but for in-place creation.
// MADV_DONTFORK: a forked child has no way to write into objects of its parent.
class WritableAlias {
 public:
  static Result<WritableAlias> map(int objects_fd, uint64_t offset, uint64_t size_bytes);

  uint64_t offset() const { return offset_; }
  uint64_t size_bytes() const { return size_bytes_; }
  bool contains(uint64_t offset, uint64_t size_bytes) const;
  // The address of a byte of the segment inside this alias.
  uint8_t* at(uint64_t offset) const { return data_ + (offset - offset_); }
  // Fills the page tables for a range in one call; each page is populated once. Cheap where pages are huge, and three
  // times faster than faults where they are not. Not thread-safe.
  void populate(uint64_t offset, uint64_t size_bytes);

 private:
  WritableAlias(shm::Mapping mapping, uint8_t* data, uint64_t offset, uint64_t size_bytes)
      : mapping_(std::move(mapping)), data_(data), offset_(offset), size_bytes_(size_bytes) {}

  shm::Mapping mapping_;
  uint8_t* data_ = nullptr;  // of the byte at offset_
  uint64_t offset_ = 0;
  uint64_t size_bytes_ = 0;
  uint64_t populated_end_ = 0;
};

}  // namespace sabir::store
