// Runs the fuzz target over seeded inputs: conversations that are broken in one or a few places, and noise. The same in
// each run.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/rpc/node_link/bulk_frame.h"
#include "tests/fuzz/mutations.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::node_link {
namespace {

std::string frame(uint8_t also, const BulkHeader& header) {
  BulkHeaderBytes bytes = encode_bulk_header(header);
  return std::string(1, static_cast<char>(also)) + std::string(bytes.begin(), bytes.end()) +
         std::string(header.size_bytes, 'p');
}

std::vector<std::string> valid_inputs() {
  std::string payload(700, 'p');
  uint64_t checksum = bulk_checksum({reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
  BulkHeader whole{.type = BulkType::kData,
                   .last = true,
                   .has_checksum = true,
                   .size_bytes = 700,
                   .transfer_id = 2,
                   .checksum = checksum,
                   .total_bytes = 700};
  BulkHeader first{.type = BulkType::kData, .size_bytes = 2000, .transfer_id = 6, .total_bytes = 3500};
  BulkHeader second{
      .type = BulkType::kData, .last = true, .size_bytes = 1500, .transfer_id = 6, .offset = 2000, .total_bytes = 3500};
  BulkHeader empty{.type = BulkType::kData, .last = true, .transfer_id = 1};
  BulkHeader credit{.type = BulkType::kCredit, .first = true, .transfer_id = 5, .offset = 1000};
  BulkHeader more{.type = BulkType::kCredit, .transfer_id = 5, .offset = 2800};
  BulkHeader stranger{.type = BulkType::kCredit, .first = true, .transfer_id = 50, .offset = 1};
  BulkHeader fail{.type = BulkType::kFail, .code = 16, .transfer_id = 3};
  BulkHeader cancel{.type = BulkType::kCancel, .transfer_id = 4};
  return {frame(3, whole) + frame(0, empty) + frame(1, fail), frame(3, first) + frame(3, second),
          frame(3, credit) + frame(2, more) + frame(3, cancel),
          frame(0x80 + 8, credit) + frame(0x7f, first) + frame(3, stranger),
          frame(0x84, first) + frame(3, second) + frame(1, cancel)};
}

TEST(BulkFrameFuzzTest, SeededInputs) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    fuzz::Mutations mutations(seed, valid_inputs(), 1);
    for (int i = 0; i < 2000; ++i) {
      std::string input = mutations.next();
      // A buffer of its own, so that a sanitizer sees a read behind the end.
      std::vector<uint8_t> bytes(input.begin(), input.end());
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

TEST(BulkFrameFuzzTest, ValidInputsAndTheirBeginnings) {
  for (const std::string& input : valid_inputs()) {
    for (size_t size_bytes = 0; size_bytes <= input.size(); size_bytes += size_bytes % 100 < 90 ? 1 : 7) {
      std::vector<uint8_t> bytes(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size_bytes));
      LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    }
  }
}

}  // namespace
}  // namespace sabir::node_link
