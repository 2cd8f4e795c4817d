// A file of test vectors that a program makes (`write FILE`) or compares (`check FILE`).
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace sabir_test {

inline std::string hex(const void* data, size_t size) {
  std::string out;
  char digits[3];
  for (size_t i = 0; i < size; ++i) {
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<const uint8_t*>(data)[i]);
    out += digits;
  }
  return out;
}

// What main() returns. `wanted`: what the file is to hold.
inline int write_or_check(int argc, char** argv, const std::string& wanted) {
  if (argc != 3) {
    std::cerr << "usage: " << argv[0] << " write|check FILE\n";
    return 2;
  }
  if (std::string(argv[1]) == "write") {
    return std::ofstream(argv[2]) << wanted ? 0 : 1;
  }
  std::ostringstream found;
  found << std::ifstream(argv[2]).rdbuf();
  if (found.str() == wanted) {
    return 0;
  }
  std::cerr << argv[2] << " is not what this SDK writes and reads; wanted:\n" << wanted;
  return 1;
}

}  // namespace sabir_test
