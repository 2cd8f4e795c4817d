// From Data to the structs of the Arrow C data interface. What is handed out shares the data, and may outlive all else.
#pragma once

#include <memory>

#include "runtime/table/data.h"

namespace sabir::table {

// A new stream over all batches, from the first. Not for two threads at a time; its batches may go to any thread.
void to_stream(std::shared_ptr<const Data> data, ArrowArrayStream* out);

}  // namespace sabir::table
