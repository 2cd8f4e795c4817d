#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sabir_test {

// True: the bytes are a value. Ends the process if reading what was written does not give it again.
bool decode_anything(uint8_t encoding, uint8_t variant, std::vector<uint8_t> bytes);

}  // namespace sabir_test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
