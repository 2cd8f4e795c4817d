// Placement groups: sabir/util/placement_group.py.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.create_group(strategy, [({name: amount}, [(label, condition)])], name, namespace, detached) -> id, in hex
PyObject* create_group(PyObject* module, PyObject* args);
// _sabir.group_ready(id, value) -> ObjectRef, which has the value when the group is ready
PyObject* group_ready(PyObject* module, PyObject* args);
PyObject* remove_group(PyObject* module, PyObject* id);
// _sabir.find_groups(id, name, namespace) -> JSON
PyObject* find_groups(PyObject* module, PyObject* args);
// _sabir.current_group() -> (id, bundle, captures), or None
PyObject* current_group(PyObject* module, PyObject*);

}  // namespace sabir::python
