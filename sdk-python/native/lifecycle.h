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
// _sabir.die_with(pid): waits until this process is a child of `pid`, then asks to be killed with it.
PyObject* die_with(PyObject* module, PyObject* pid);

}  // namespace sabir::python
