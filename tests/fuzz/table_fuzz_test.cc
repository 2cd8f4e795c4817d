// Runs the fuzz target over seeded inputs: tables of each layout that are broken in a few places. The same in each run.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "runtime/table/import.h"
#include "runtime/table/testing/made.h"
#include "runtime/table/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::table {
namespace {

std::string bytes_of(const testing::Made& made) {
  ArrowArrayStream stream{};
  to_c(std::vector<testing::Made>{made, made}, &stream);
  auto data = from_stream(&stream, 0);
  SABIR_CHECK(data.ok());
  auto encoded = encode(**data);
  SABIR_CHECK(encoded.ok());
  std::string bytes;
  for (const sabir_span& part : (*encoded)->parts) {
    bytes.append(static_cast<const char*>(part.data), part.size);
  }
  return bytes;
}

TEST(TableFuzzTest, SeededInputs) {
  std::vector<std::string> corpus;
  for (const testing::Made& made : testing::all_layouts()) {
    corpus.push_back(bytes_of(made));
  }
  corpus.push_back(bytes_of({.format = "+s", .length = 6, .buffers = {nullptr}, .children = testing::all_layouts()}));
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string input = corpus[random() % corpus.size()];
    for (size_t k = 0; k < 1 + random() % 3; ++k) {
      size_t at = random() % input.size();
      switch (random() % 5) {
        case 0:
          input[at] = static_cast<char>(random());
          break;
        case 1:
          input[at] = static_cast<char>(random() % 2 == 0 ? 0xff : 0);
          break;
        case 2:
          input[at] = static_cast<char>(input[at] + 1 - 2 * static_cast<int>(random() % 2));
          break;
        case 3:
          input[at] = static_cast<char>(input[at] ^ 1 << random() % 8);
          break;
        case 4:
          if (random() % 8 == 0) {
            input.resize(at + 1);
          }
          break;
      }
    }
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }
}

}  // namespace
}  // namespace sabir::table
