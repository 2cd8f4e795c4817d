// The header of a frame on a bulk connection, as schema/node_link.capnp describes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/base/result.h"

namespace sabir::node_link {

inline constexpr size_t kBulkHeaderBytes = 40;
inline constexpr uint32_t kMaxBulkPayloadBytes = 1u << 20;

enum class BulkType : uint8_t { kData = 1, kCredit = 2, kFail = 3, kCancel = 4 };

struct BulkHeader {
  BulkType type = BulkType::kData;
  bool last = false;          // data
  bool has_checksum = false;  // data
  bool first = false;         // credit
  uint16_t code = 0;          // fail: an ErrorKind
  uint32_t size_bytes = 0;    // of the payload
  uint64_t transfer_id = 0;
  uint64_t offset = 0;       // data; credit: up to where
  uint64_t checksum = 0;     // data
  uint64_t total_bytes = 0;  // data

  bool operator==(const BulkHeader&) const = default;
};

using BulkHeaderBytes = std::array<uint8_t, kBulkHeaderBytes>;

BulkHeaderBytes encode_bulk_header(const BulkHeader& header);
// kInvalid for every header that contradicts itself: what comes out needs no further check but against the transfer.
Result<BulkHeader> decode_bulk_header(std::span<const uint8_t, kBulkHeaderBytes> bytes);

// XXH3, 64 bits.
uint64_t bulk_checksum(std::span<const uint8_t> payload);

}  // namespace sabir::node_link
