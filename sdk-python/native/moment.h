// datetime objects as timestamps: nanoseconds since 1970 and the local time's offset (docs/values.md).
#pragma once

#include "sdk-python/native/encoded.h"
#include "sdk-python/native/state.h"

namespace sabir::python {

// kUnsuitable: no exact datetime, or one without a fixed offset (other time zones have rules that only Python's objects
// know), or out of the range of i64 nanoseconds (1678 to 2261).
Encoded read_moment(PyObject* value, int64_t* unix_ns, int32_t* offset_s);

// A datetime with that offset. Python's clocks have microseconds: what is below is cut off, towards the past.
PyObject* make_moment(int64_t unix_ns, int32_t offset_s);

}  // namespace sabir::python
