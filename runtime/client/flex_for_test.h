// FlexBuffers that no writer makes, for tests of readers.
#pragma once

#include <cstdint>
#include <vector>

namespace sabir::client {

// Each of 12 vectors has the one before eight times: 8^12 values in 200 bytes.
inline std::vector<uint8_t> repeating_flex() {
  std::vector<uint8_t> bytes{1, 1, 1 << 2};
  size_t before = 1;
  for (int level = 0; level < 12; ++level) {
    bytes.push_back(8);
    size_t start = bytes.size();
    for (int i = 0; i < 8; ++i) {
      bytes.push_back(static_cast<uint8_t>(bytes.size() - before));
    }
    bytes.insert(bytes.end(), 8, 10 << 2);
    before = start;
  }
  bytes.push_back(static_cast<uint8_t>(bytes.size() - before));
  bytes.push_back(10 << 2);
  bytes.push_back(1);
  return bytes;
}

}  // namespace sabir::client
