// From the structs of the Arrow C data interface to Data. The buffers stay where they are; arrays with an offset become
// arrays without one (wire.h says why), for which bitmaps and offsets may be written anew.
#pragma once

#include <memory>

#include "runtime/base/result.h"
#include "runtime/table/data.h"

namespace sabir::table {

// Reads all batches in the calling thread, by the stream's own functions. Takes the stream over, also on failure.
Result<std::shared_ptr<const Data>> from_stream(ArrowArrayStream* stream, uint32_t origin);
// One batch. Takes both over, also on failure.
Result<std::shared_ptr<const Data>> from_array(ArrowSchema* schema, ArrowArray* array, uint32_t origin);

}  // namespace sabir::table
