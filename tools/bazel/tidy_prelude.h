// Included before every source that clang-tidy reads, and by nothing else.
//
// Cap'n Proto 0.9.2 compares a `const char*` with a StringPtr and leaves it to C++20 to swap the two. Since P2468,
// which clang follows and gcc 12 does not yet, a class with an operator!= of its own is not swapped.
#pragma once

namespace kj {
class StringPtr;
bool operator==(const char* left, const StringPtr& right);
bool operator!=(const char* left, const StringPtr& right);
}  // namespace kj
