// The arrays of a batch, from the structs of the Arrow C data interface: without offsets, as import.h says.
#pragma once

#include <string>
#include <utility>

#include "runtime/base/result.h"
#include "runtime/table/data.h"

namespace sabir::table {

inline Error not_arrow(std::string what) {
  return invalid_error("not as the Arrow C data interface says: " + std::move(what));
}

// Of the data's schema; its buffers are those of `from`, or in data.made. What they say is not checked yet.
Result<Array> read_batch(Data& data, const ArrowArray* from);

}  // namespace sabir::table
