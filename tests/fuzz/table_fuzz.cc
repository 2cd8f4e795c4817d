// Feeds bytes to what reads tables. What it accepts is read item by item through the Arrow C data interface, and goes
// the whole way again: into bytes, and from there to the same items.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "runtime/base/check.h"
#include "runtime/table/export.h"
#include "runtime/table/import.h"
#include "runtime/table/testing/made.h"
#include "runtime/table/wire.h"

using namespace sabir::table;  // NOLINT: a fuzzer's own file

namespace {

using Shared = std::shared_ptr<const Data>;

// At a multiple of 64, and ending where its memory ends, so that a sanitizer sees what lies behind it.
std::shared_ptr<uint8_t> aligned_copy(const uint8_t* data, size_t size_bytes) {
  void* memory = nullptr;
  SABIR_CHECK(posix_memalign(&memory, kAlignment, size_bytes + 1) == 0);
  if (size_bytes != 0) {
    std::memcpy(memory, data, size_bytes);
  }
  return {static_cast<uint8_t*>(memory), std::free};
}

std::string read(const Shared& data) {
  ArrowArrayStream stream{};
  to_stream(data, &stream);
  return testing::read_all(&stream);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::shared_ptr<uint8_t> bytes = aligned_copy(data, size_bytes);
  sabir::Result<Shared> table = decode({bytes.get(), size_bytes}, bytes);
  if (!table.ok()) {
    SABIR_CHECK(table.error().kind() == sabir::ErrorKind::kInvalid);
    return 0;
  }
  std::string items = read(*table);
  ArrowArrayStream stream{};
  to_stream(*table, &stream);
  sabir::Result<Shared> again = from_stream(&stream, (*table)->origin);
  SABIR_CHECK(again.ok());
  SABIR_CHECK(read(*again) == items);
  auto encoded = encode(**again);
  SABIR_CHECK(encoded.ok());
  std::string joined;
  for (const sabir_span& part : (*encoded)->parts) {
    joined.append(static_cast<const char*>(part.data), part.size);
  }
  std::shared_ptr<uint8_t> copy = aligned_copy(reinterpret_cast<const uint8_t*>(joined.data()), joined.size());
  sabir::Result<Shared> received = decode({copy.get(), joined.size()}, copy);
  SABIR_CHECK(received.ok());
  SABIR_CHECK(read(*received) == items);
  return 0;
}
