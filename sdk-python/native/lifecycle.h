// Starting and ending this process's membership in a session.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

PyObject* start(PyObject* module, PyObject* config);
PyObject* start_worker(PyObject* module, PyObject* args);
PyObject* shutdown(PyObject* module, PyObject*);
PyObject* is_started(PyObject* module, PyObject*);
PyObject* info(PyObject* module, PyObject*);
PyObject* version(PyObject* module, PyObject*);
// _sabir.die_with(parent, between): waits until this process is no child of `between` any more, then asks to be killed
// with `parent`. ConnectionError if it is not that one's child now.
PyObject* die_with(PyObject* module, PyObject* args);

}  // namespace sabir::python
