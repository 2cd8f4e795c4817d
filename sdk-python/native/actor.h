// The Python type Actor: one counted handle of an actor. sabir/_actor.py wraps it in ActorHandle.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

extern PyTypeObject* actor_type;
sabir_actor* actor_of(PyObject* actor);

// Takes over the handle; null with an exception set (the handle is then released).
PyObject* wrap_actor(sabir_actor* actor);

// _sabir.create_actor(function, options: dict, args: tuple, kwargs: dict) -> Actor
PyObject* create_actor(PyObject* module, PyObject* args);
// _sabir.lookup_actor(name, namespace) -> Actor
PyObject* lookup_actor(PyObject* module, PyObject* args);

bool add_actor_type(PyObject* module);

}  // namespace sabir::python
