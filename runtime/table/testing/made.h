// Arrays made by hand, as a producer of the Arrow C data interface would hand them over, and a reader that looks at
// each item of what a consumer gets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/abi/sabir_arrow.h"

namespace sabir::table::testing {

// An array with its type. Buffers: empty optional ones are absent.
struct Made {
  std::string format;
  int64_t length = 0;
  int64_t null_count = 0;
  int64_t offset = 0;
  std::vector<std::shared_ptr<std::vector<uint8_t>>> buffers;
  std::vector<Made> children;
  std::shared_ptr<Made> dictionary;
  std::string name;
  std::string metadata;
  int64_t flags = ARROW_FLAG_NULLABLE;
};

template <typename T>
std::shared_ptr<std::vector<uint8_t>> bytes_of(const std::vector<T>& items) {
  const auto* data = reinterpret_cast<const uint8_t*>(items.data());
  return std::make_shared<std::vector<uint8_t>>(data, data + items.size() * sizeof(T));
}
std::shared_ptr<std::vector<uint8_t>> text_bytes(const std::string& text);

// How many structs were handed out and not released.
int64_t alive();
void to_c(const Made& made, ArrowSchema* out);
void to_c(const Made& made, ArrowArray* out);
// A stream of these batches, which are all of the type of the first; `failure`: it fails with this at its end.
void to_c(const std::vector<Made>& batches, ArrowArrayStream* out, const std::string& failure = "");

// An array of each layout of the C data interface, with nulls where it may have them; 6 items each.
std::vector<Made> all_layouts();

// The items of an array, one after the other, as text: equal for arrays that mean the same. Reads all that a consumer
// may read; of long runs that need no memory only the first items.
std::string read_all(const ArrowSchema& schema, const ArrowArray& array);
std::string read_all(ArrowArrayStream* stream);  // to its end; releases it

}  // namespace sabir::table::testing
