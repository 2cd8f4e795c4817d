// Runs the fuzz target over seeded inputs: mostly records that say something. The same in each run.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "runtime/shm/process_ring.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes);

namespace sabir::shm {
namespace {

RingRecord record(std::mt19937& random) {
  RingRecord made = {};
  made.op = static_cast<uint8_t>(random() % 16);
  made.flag = static_cast<uint8_t>(random() % 4);
  made.entry = random() % 3 * kEntriesPerBatch + random() % 4;
  made.generation = random() % 4 == 0 ? random() % 3 : 0;
  uint64_t numbers[] = {0, random() % 8, random() % 1024, 1 << 20, random(), ~uint64_t{0}};
  made.a = numbers[random() % 6];
  made.b = numbers[random() % 6];
  return made;
}

TEST(RingFuzzTest, SeededInputs) {
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint8_t> bytes;
    for (size_t steps = random() % 60; steps > 0; --steps) {
      // Rounds and deaths are rarer than records.
      bytes.push_back(static_cast<uint8_t>(random() % 8 == 0 ? random() % 96 : 96 + random() % 160));
      RingRecord made = record(random);
      const auto* from = reinterpret_cast<const uint8_t*>(&made);
      bytes.insert(bytes.end(), from, from + sizeof(made));
    }
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace
}  // namespace sabir::shm
