// Starting and ending this process's membership, and the session's rarely used calls.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

PyObject* start(PyObject* module, PyObject* config);
PyObject* start_worker(PyObject* module, PyObject* args);
PyObject* shutdown(PyObject* module, PyObject*);
PyObject* is_started(PyObject* module, PyObject*);
PyObject* info(PyObject* module, PyObject*);
PyObject* status(PyObject* module, PyObject*);
PyObject* kv_put(PyObject* module, PyObject* args);
PyObject* kv_get(PyObject* module, PyObject* key);
PyObject* kv_delete(PyObject* module, PyObject* key);
PyObject* version(PyObject* module, PyObject*);
PyObject* node_start(PyObject* module, PyObject* config);
PyObject* node_status(PyObject* module, PyObject* args);
PyObject* node_stop(PyObject* module, PyObject* args);
// _sabir.die_with(pid): waits until this process is a child of `pid`, then asks to be killed with it.
PyObject* die_with(PyObject* module, PyObject* pid);

}  // namespace sabir::python
