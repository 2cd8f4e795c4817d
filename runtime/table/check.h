// Whether a table can be read without leaving its buffers. Whoever filled it in is not trusted: what passes here may be
// handed to any Arrow library. Not looked at: whether text is UTF-8, and whether indices lie inside their dictionary;
// Arrow leaves both to those who read.
#pragma once

#include "runtime/base/result.h"
#include "runtime/table/data.h"

namespace sabir::table {

// The children and dictionaries that the formats want are there, and nothing nests deeper than kDepthMax.
Result<void> check_schema(const Field& field, int depth = 0);
// Also fills in what may be left out: empty buffers get an address, and nulls are counted.
Result<void> check_array(const Field& field, Array& array);

}  // namespace sabir::table
