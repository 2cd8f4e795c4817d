#include "runtime/table/data.h"

#include <algorithm>

namespace sabir::table {

Data::~Data() {
  for (ArrowArray& array : taken) {
    if (array.release != nullptr) {
      array.release(&array);
    }
  }
}

bool has_extensions(const Field& field) {
  return field.metadata.find("ARROW:extension:name") != std::string::npos ||
         std::any_of(field.children.begin(), field.children.end(), has_extensions) ||
         (field.dictionary != nullptr && has_extensions(*field.dictionary));
}

int64_t row_count(const Data& data) {
  int64_t rows = 0;
  for (const Array& batch : data.batches) {
    if (__builtin_add_overflow(rows, batch.length, &rows)) {
      return INT64_MAX;
    }
  }
  return rows;
}

Result<size_t> metadata_bytes(const char* metadata, size_t size_max) {
  size_t at = 0;
  bool fits = true;
  auto take = [&]() -> int32_t {
    int32_t value = 0;
    if (size_max - at < sizeof(value)) {
      fits = false;
      return 0;
    }
    __builtin_memcpy(&value, metadata + at, sizeof(value));
    at += sizeof(value);
    return value;
  };
  int32_t count = take();
  fits = fits && count >= 0;
  for (int64_t i = 0; fits && i < int64_t{count} * 2; ++i) {
    int32_t size = take();
    fits = fits && size >= 0 && static_cast<size_t>(size) <= size_max - at;
    at += fits ? static_cast<size_t>(size) : 0;
  }
  if (!fits) {
    return invalid_error("metadata that is not what the Arrow C data interface describes");
  }
  return at;
}

}  // namespace sabir::table
