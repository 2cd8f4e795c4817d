// The Python types Function (an exported function, class or method name) and Task (a function with its options).
#pragma once

#include <vector>

#include "sdk-python/native/state.h"

namespace sabir::python {

extern PyTypeObject* function_type;
extern PyTypeObject* task_type;

sabir_function* function_of(PyObject* function);
sabir_task* task_of(PyObject* task);
inline bool is_task(PyObject* object) { return Py_TYPE(object) == task_type; }
uint32_t task_num_returns(PyObject* task);
// Of what is called.
sabir_language function_language(PyObject* function);
sabir_language task_language(PyObject* task);

// _sabir.export_function(kind, language, name, code) -> Function
PyObject* export_function(PyObject* module, PyObject* args);
// _sabir.prepare_task(function, resources, num_returns, max_retries, retry_errors, name, scheduling) -> Task
PyObject* prepare_task(PyObject* module, PyObject* args);
// _sabir.get_function(index) -> (kind, language, name, code)
PyObject* get_function(PyObject* module, PyObject* index);

// A dict of resource name to amount; the names stay owned by the dict. False with an exception set.
bool resources_of(PyObject* dict, std::vector<sabir_resource>* out);

bool add_function_types(PyObject* module);

}  // namespace sabir::python
