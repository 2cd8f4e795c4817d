// Values that this process puts: small ones stay private (O6), large ones go into the store.
#pragma once

#include <memory>
#include <span>

#include "runtime/abi/sabir.h"
#include "runtime/client/core.h"
#include "runtime/client/future.h"
#include "runtime/store/object_writer.h"

namespace sabir::client {

// An object being written in place.
struct Builder {
  Core* core = nullptr;
  ValueHeader header;
  store::Placement placement;  // of a large one
  Future* small = nullptr;     // a count
};

// All without the client's lock; they may wait for room in the store.
class Objects final : public store::LoanSource {
 public:
  Objects(Core& core, UniqueFd objects_fd);

  Result<Future*> put(const sabir_value& value, int64_t timeout_ns);
  // A ready value gets an object entry, so that it need not travel with each reference to it.
  Result<void> store_ready(Future* ready);
  // A new future of a value that lies in the store.
  Result<Future*> store(ValueHeader header, std::span<Future* const> refs, std::span<const sabir_span> parts,
                        int64_t timeout_ns);

  Result<std::unique_ptr<Builder>> build(ValueHeader header, size_t size_bytes, int64_t timeout_ns, void** out_data);
  Result<Future*> seal(std::unique_ptr<Builder> builder);
  void abandon(std::unique_ptr<Builder> builder);

  // Store pressure: gives idle loans back.
  void collect() { writer_.collect(); }

  Result<Loan> loan(uint64_t size_bytes, int64_t wait_ns) override;
  void give_back(uint64_t offset) override;

 private:
  Result<shm::EntryRef> write(ValueHeader header, std::span<Future* const> refs, std::span<const sabir_span> parts,
                              uint64_t sequence, int64_t timeout_ns);
  Result<shm::EntryRef> announce(store::Placement placement, uint64_t sequence, std::span<const shm::EntryRef> inside);
  Future* make_object(ValueHeader header, shm::EntryRef entry, uint64_t sequence, std::span<Future* const> refs);

  Core& core_;
  UniqueFd objects_fd_;
  store::ObjectWriter writer_;
};

inline ValueHeader header_of(const sabir_value& value) {
  return {.encoding = value.encoding, .language = value.language, .variant = value.variant};
}
size_t total_bytes(std::span<const sabir_span> parts);
// sabir_ref is opaque in C; this is what it is.
inline std::span<Future* const> refs_of(const sabir_value& value) {
  return {reinterpret_cast<Future* const*>(value.refs), value.ref_count};
}
inline std::span<const sabir_span> parts_of(const sabir_value& value) { return {value.parts, value.part_count}; }

}  // namespace sabir::client
