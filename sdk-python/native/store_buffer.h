// A read-only Python buffer over bytes of the store. It retains the reference, so the object outlives every array and
// memoryview made from it.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

PyObject* make_store_buffer(const void* data, size_t size, sabir_ref* holder);
bool add_store_buffer_type(PyObject* module);

}  // namespace sabir::python
