// The worker's loop: pull a call, decode, run, encode, finish.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.run_worker() -> None, when the node asks this process to leave or is gone.
PyObject* run_worker(PyObject* module, PyObject*);
// _sabir.context() -> dict of what runs now, for get_runtime_context().
PyObject* context(PyObject* module, PyObject*);
// _sabir.actor_instance() -> the object this worker hosts, or None.
PyObject* actor_instance(PyObject* module, PyObject*);
// _sabir.exit_worker(): leave after the current call; an actor is not restarted.
PyObject* exit_worker(PyObject* module, PyObject*);

}  // namespace sabir::python
