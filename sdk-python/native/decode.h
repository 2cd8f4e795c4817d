// From a view of a value to a Python object.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// A new object, or null with an exception set; an error value raises what it stands for. `holder` keeps the bytes alive
// and is retained by zero-copy buffers; null if the bytes do not outlive the call (they are then copied).
PyObject* decode_value(const sabir_view& view, sabir_ref* holder);

}  // namespace sabir::python
