// Feeds bytes to what reads values, arguments, results and errors: in shared memory, where anybody may have written
// anything, also for sabird as an heir (D5).
#include <cstdint>
#include <span>

#include "runtime/base/check.h"
#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"

using namespace sabir::client;  // NOLINT: a fuzzer's own file

namespace {

using Bytes = std::span<const uint8_t>;

constexpr int kMaxDepth = 4;

// Reads each byte, so that a sanitizer sees what lies outside.
uint64_t touch(Bytes bytes) {
  uint64_t sum = 0;
  for (uint8_t byte : bytes) {
    sum = sum * 31 + byte;
  }
  return sum;
}

uint64_t read_value(Bytes bytes, size_t alignment, int depth) {
  auto value = parse_value(bytes, alignment);
  if (!value || depth == kMaxDepth) {
    return 0;
  }
  SABIR_CHECK(!value->indirect || value->data.empty());
  uint64_t sum = touch(value->data) + touch(value->table);
  Bytes table = value->table;
  for (uint32_t i = 0; i < value->header.ref_count; ++i) {
    auto ref = next_ref(table);
    if (!ref) {
      break;
    }
    sum += read_value(ref->value, kCallAlignment, depth + 1);
  }
  return sum;
}

}  // namespace

// Input: the number of returns, then the bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  if (size_bytes == 0) {
    return 0;
  }
  size_t num_returns = data[0];
  Bytes bytes(data + 1, size_bytes - 1);
  volatile uint64_t sum = read_value(bytes, kCallAlignment, 0) + read_value(bytes, kStoreAlignment, 0);
  if (auto results = parse_results(bytes, num_returns)) {
    SABIR_CHECK(results->indirect || results->values.size() == num_returns);
    for (Bytes value : results->values) {
      sum = sum + read_value(value, kCallAlignment, 0);
    }
  }
  if (auto args = ArgsReader::open(bytes)) {
    for (size_t i = 0; i < args->count(); ++i) {
      auto arg = args->next();
      if (!arg) {
        break;
      }
      sum = sum + read_value(arg->value, kCallAlignment, 0) + arg->name.size();
    }
  }
  sum = sum + read_error_map(bytes).message.size();
  return 0;
}
