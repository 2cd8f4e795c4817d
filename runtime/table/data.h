// A table in memory: the schema and batches of the Arrow C data interface as values, and what keeps the buffers alive.
// It is filled once (import.h, wire.h), checked (check.h), and does not change after that, so threads may share it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/abi/sabir_arrow.h"
#include "runtime/table/layout.h"

namespace sabir::table {

inline constexpr int kDepthMax = 64;  // of fields within each other
inline constexpr size_t kAlignment = 64;

struct Field {
  std::string format;
  std::optional<std::string> name;
  std::string metadata;  // in the encoding of the C interface; empty: none
  int64_t flags = 0;
  std::vector<Field> children;
  std::unique_ptr<Field> dictionary;  // of the values; `format` is the indices'
  Layout layout;
};

// Without data: there is none.
struct Buffer {
  const uint8_t* data = nullptr;
  uint64_t size = 0;
};

// As ArrowArray, but for the last buffer of kBinaryView, the sizes of the others: here each knows its own.
struct Array {
  int64_t length = 0;
  int64_t null_count = 0;
  int64_t offset = 0;
  std::vector<Buffer> buffers;
  std::vector<Array> children;
  std::unique_ptr<Array> dictionary;
};

struct Data {
  Data() = default;
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;
  ~Data();

  Field schema;
  std::vector<Array> batches;
  uint32_t origin = 0;
  // What the buffers lie in.
  std::vector<ArrowArray> taken;
  std::deque<std::vector<uint8_t>> made;
  std::shared_ptr<const void> bytes;
};

// Of unknown alignment: producers are not obliged to align.
template <typename T>
T load(const uint8_t* data, int64_t index) {
  T value;
  __builtin_memcpy(&value, data + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

// Any field, at any depth, that says it is of an extension type.
bool has_extensions(const Field& field);
int64_t row_count(const Data& data);
// An error if it is not what the C interface calls metadata; else its size.
Result<size_t> metadata_bytes(const char* metadata, size_t size_max);

}  // namespace sabir::table
