#include "runtime/rpc/node_link/bulk_frame.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sabir::node_link {

namespace {

constexpr uint8_t kLast = 1;
constexpr uint8_t kChecksum = 2;
constexpr uint8_t kFirst = 4;

template <typename T>
void put(BulkHeaderBytes& bytes, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
  }
}

template <typename T>
T get(std::span<const uint8_t, kBulkHeaderBytes> bytes, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<T>(bytes[at + i]) << (8 * i)));
  }
  return value;
}

// Why not; null: it is one.
const char* wrong_with(const BulkHeader& header) {
  bool data = header.type == BulkType::kData;
  if (!data && (header.last || header.has_checksum || header.size_bytes != 0 || header.total_bytes != 0)) {
    return "what only data has";
  }
  if (header.first && header.type != BulkType::kCredit) {
    return "a first that is no credit";
  }
  if (header.offset != 0 && !data && header.type != BulkType::kCredit) {
    return "an offset of nothing";
  }
  if (!header.has_checksum && header.checksum != 0) {
    return "a checksum that is not said to be one";
  }
  bool known_kind =
      header.code >= static_cast<uint16_t>(ErrorKind::kInvalid) && header.code <= static_cast<uint16_t>(kLastErrorKind);
  if (header.type == BulkType::kFail ? !known_kind : header.code != 0) {
    return "a code that is none";
  }
  if (!data) {
    return nullptr;
  }
  if (header.size_bytes > kMaxBulkPayloadBytes) {
    return "a payload that is too long";
  }
  if (header.offset > header.total_bytes || header.size_bytes > header.total_bytes - header.offset) {
    return "data behind the end of its transfer";
  }
  bool ends = header.offset + header.size_bytes == header.total_bytes;
  if (ends != header.last || (header.size_bytes == 0 && header.total_bytes != 0)) {
    return "an end in the wrong place";
  }
  return nullptr;
}

}  // namespace

BulkHeaderBytes encode_bulk_header(const BulkHeader& header) {
  BulkHeaderBytes bytes = {};
  bytes[0] = static_cast<uint8_t>(header.type);
  bytes[1] = static_cast<uint8_t>((header.last ? kLast : 0) | (header.has_checksum ? kChecksum : 0) |
                                  (header.first ? kFirst : 0));
  put(bytes, 2, header.code);
  put(bytes, 4, header.size_bytes);
  put(bytes, 8, header.transfer_id);
  put(bytes, 16, header.offset);
  put(bytes, 24, header.checksum);
  put(bytes, 32, header.total_bytes);
  return bytes;
}

Result<BulkHeader> decode_bulk_header(std::span<const uint8_t, kBulkHeaderBytes> bytes) {
  uint8_t type = bytes[0];
  uint8_t flags = bytes[1];
  if (type < static_cast<uint8_t>(BulkType::kData) || type > static_cast<uint8_t>(BulkType::kCancel) ||
      flags > (kLast | kChecksum | kFirst)) {
    return invalid_error("bulk: a frame of no kind");
  }
  BulkHeader header;
  header.type = static_cast<BulkType>(type);
  header.last = (flags & kLast) != 0;
  header.has_checksum = (flags & kChecksum) != 0;
  header.first = (flags & kFirst) != 0;
  header.code = get<uint16_t>(bytes, 2);
  header.size_bytes = get<uint32_t>(bytes, 4);
  header.transfer_id = get<uint64_t>(bytes, 8);
  header.offset = get<uint64_t>(bytes, 16);
  header.checksum = get<uint64_t>(bytes, 24);
  header.total_bytes = get<uint64_t>(bytes, 32);
  if (const char* wrong = wrong_with(header)) {
    return invalid_error(std::string("bulk: ") + wrong);
  }
  return header;
}

uint64_t bulk_checksum(std::span<const uint8_t> payload) { return XXH3_64bits(payload.data(), payload.size()); }

}  // namespace sabir::node_link
