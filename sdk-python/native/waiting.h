// get, wait and put: the calls that may block. Short waits spin with the GIL held (giving it up costs a thread switch
// of up to 5 ms when another Python thread computes); longer ones release it and look for signals in between.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.get(refs, timeout_s) -> value or list of values; refs: an ObjectRef or a list of them; timeout None: for ever.
PyObject* get(PyObject* module, PyObject* const* args, Py_ssize_t count);
// _sabir.wait(refs, num_returns, timeout_s) -> (ready, not ready), both lists in the order of refs.
PyObject* wait(PyObject* module, PyObject* const* args, Py_ssize_t count);
// _sabir.put(value) -> ObjectRef
PyObject* put(PyObject* module, PyObject* value);

// Seconds (None: -1, for ever) as nanoseconds; false with an exception set for negative or NaN ones.
bool timeout_of(PyObject* seconds, int64_t* timeout_ns);
int64_t steady_now_ns();

}  // namespace sabir::python
