// What is rarely asked of a session: its state, keys and values, and the `sabir` command's calls.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

PyObject* status(PyObject* module, PyObject*);
PyObject* kv_put(PyObject* module, PyObject* args);
PyObject* kv_get(PyObject* module, PyObject* key);
PyObject* kv_delete(PyObject* module, PyObject* key);
PyObject* node_start(PyObject* module, PyObject* config);
PyObject* node_status(PyObject* module, PyObject* args);
PyObject* node_stop(PyObject* module, PyObject* args);
PyObject* node_drain(PyObject* module, PyObject* args);

}  // namespace sabir::python
