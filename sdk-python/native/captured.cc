#include "sdk-python/native/captured.h"

#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/ref_context.h"

namespace sabir::python {
namespace {

PyObject* name = nullptr;

}  // namespace

PyObject* captured_name() { return name; }

PyObject* collect(PyObject*, PyObject* function) {
  RefCollector collector;
  Owned result(PyObject_CallNoArgs(function));
  if (!result) {
    return nullptr;
  }
  Owned list(PyList_New(0));
  for (sabir_ref* ref : collector.refs()) {
    Owned wrapped(list ? wrap_ref(sabir_ref_retain(ref)) : nullptr);
    if (!wrapped || PyList_Append(list.get(), wrapped.get()) != 0) {
      return nullptr;
    }
  }
  return list ? PyTuple_Pack(2, result.get(), list.get()) : nullptr;
}

PyObject* with_refs(PyObject*, PyObject* args) {
  PyObject* list = nullptr;
  PyObject* function = nullptr;
  if (!PyArg_ParseTuple(args, "O!O", &PyList_Type, &list, &function)) {
    return nullptr;
  }
  // A snapshot: the function may change the list.
  Owned items(PyList_GetSlice(list, 0, PyList_GET_SIZE(list)));
  std::vector<sabir_ref*> refs;
  for (Py_ssize_t i = 0; items && i < PyList_GET_SIZE(items.get()); ++i) {
    PyObject* item = PyList_GET_ITEM(items.get(), i);
    if (!is_object_ref(item)) {
      return PyErr_Format(PyExc_TypeError, "with_refs() wants a list of ObjectRefs");
    }
    refs.push_back(ref_of(item));
  }
  if (!items) {
    return nullptr;
  }
  RefSource source(refs.data(), refs.size());
  return PyObject_CallNoArgs(function);
}

bool add_captured(PyObject* module) {
  name = PyUnicode_InternFromString("__sabir_captured__");
  if (name == nullptr) {
    return false;
  }
  Py_INCREF(name);
  return PyModule_AddObject(module, "CAPTURED", name) == 0;
}

}  // namespace sabir::python
