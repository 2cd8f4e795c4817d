// Tables by the structs of the Arrow C data interface alone.
#pragma once

#include <string>

#include "sabir/sabir.hpp"

namespace conformance {

// Integers and texts, with and without nulls.
sabir::Table small_table();
// Integers from 0 on; the first `skipped` rows of them are not in it.
sabir::Table counting_table(int64_t rows, int64_t skipped);

// Of columns of int64 and of text.
std::string text_of_table(const sabir::Table& table);

}  // namespace conformance
