// The Python type ObjectRef: one counted sabir_ref. Not tracked by the garbage collector: it holds no Python object.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

struct ObjectRef {
  PyObject_HEAD sabir_ref* ref;
};

extern PyTypeObject* object_ref_type;

inline bool is_object_ref(PyObject* object) { return Py_TYPE(object) == object_ref_type; }
inline sabir_ref* ref_of(PyObject* object) { return reinterpret_cast<ObjectRef*>(object)->ref; }

// Takes over the reference; null with an error set (the reference is then released).
PyObject* wrap_ref(sabir_ref* ref);

// The id as 32 hexadecimal digits.
PyObject* hex_of(const sabir_ref* ref);

bool add_object_ref_type(PyObject* module);

}  // namespace sabir::python
