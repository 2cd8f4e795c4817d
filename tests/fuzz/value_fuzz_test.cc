// Runs the fuzz target over seeded inputs: valid bytes that are broken in a few places, and noise. The same in each
// run.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::client {
namespace {

std::string text_of(const void* data, size_t size_bytes) { return {static_cast<const char*>(data), size_bytes}; }

std::vector<std::string> valid_inputs() {
  std::vector<uint8_t> error = make_error_value(ErrorKind::kTaskFailed, "message", kCallAlignment);
  ValueHeader plain{.encoding = 3};
  ValueHeader with_refs{.encoding = 3, .flags = kValueHasRefs, .ref_count = 2};
  WireRef entry{.kind = static_cast<uint8_t>(WireRefKind::kEntry), .entry = 5, .generation = 1, .size = 9};
  WireRef inlined{.kind = static_cast<uint8_t>(WireRefKind::kInline), .size = sizeof(plain)};
  ArgsHeader args{.argc = 2};
  std::string value = text_of(&plain, sizeof(plain)) + "the data";
  std::string referring = text_of(&with_refs, sizeof(with_refs)) + text_of(&entry, sizeof(entry)) +
                          text_of(&inlined, sizeof(inlined)) + text_of(&plain, sizeof(plain)) + "the data";
  uint32_t sizes[] = {16, 16};
  return {"\x01" + value, "\x01" + referring, "\x01" + text_of(error.data(), error.size()),
          "\x02" + text_of(sizes, sizeof(sizes)) + value + value,
          "\x01" + text_of(&args, sizeof(args)) + value + value};
}

TEST(ValueFuzzTest, SeededInputs) {
  std::vector<std::string> corpus = valid_inputs();
  std::mt19937 random(7);
  for (int i = 0; i < 100'000; ++i) {
    std::string input = corpus[random() % corpus.size()];
    for (size_t k = 0; k < 1 + random() % 4; ++k) {
      size_t at = random() % input.size();
      switch (random() % 4) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input[at] = static_cast<char>(random() % 2 == 0 ? 0xff : 0);
          break;
        case 2:
          input.resize(at + 1);
          break;
        case 3:
          input += corpus[random() % corpus.size()].substr(random() % 8);
          break;
      }
    }
    std::vector<uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace
}  // namespace sabir::client
