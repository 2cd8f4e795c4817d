// From the Python exception that is set to the error value of a call.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// Ends the work with the exception that is set, and clears it. Works for any exception, also one whose own methods
// raise: the `failure` hook describes it, and where that fails its type's name does.
void fail_with_exception(sabir_work* work, uint32_t function_index);

// _sabir.error_map(fields) -> bytes: an error value of such a description, to be another one's `cause`.
PyObject* error_map(PyObject* module, PyObject* fields);

}  // namespace sabir::python
