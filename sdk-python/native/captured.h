// References in a function's closure or globals. The function's pickle names them by index; they themselves travel with
// each call, as a list in an argument of a reserved name, so calls keep alive what they need and nothing is kept
// longer.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.CAPTURED: the name of that argument. Borrowed.
PyObject* captured_name();

// _sabir.collect(function) -> (function(), list of ObjectRefs): those that were pickled while it ran, in their order. A
// handle of an actor is among them as an ObjectRef, too: it only serves to be sent, and to be found by with_refs().
PyObject* collect(PyObject* module, PyObject* function);
// _sabir.with_refs(refs, function) -> function(): what it unpickles finds its references in the list.
PyObject* with_refs(PyObject* module, PyObject* args);

bool add_captured(PyObject* module);

}  // namespace sabir::python
