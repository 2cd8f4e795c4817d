#include "sdk-python/native/failure.h"

namespace sabir::python {
namespace {

// Texts of the failure, owned by the dict that the hook returned.
sabir_string text_in(PyObject* dict, const char* key) {
  PyObject* item = PyDict_GetItemString(dict, key);
  sabir_string text{};
  if (item != nullptr && PyUnicode_Check(item)) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(item, &size);
    if (data != nullptr) {
      text = {data, static_cast<size_t>(size)};
    } else {
      PyErr_Clear();
    }
  }
  return text;
}

// Everything stays owned by the dict; `cause` is for the failure to point to.
void read_failure(PyObject* fields, sabir_failure* failure, sabir_view* cause) {
  failure->message = text_in(fields, "message");
  failure->type = text_in(fields, "type");
  failure->stack = text_in(fields, "stack");
  PyObject* native = PyDict_GetItemString(fields, "native");
  if (native != nullptr && PyBytes_Check(native)) {
    failure->native = {PyBytes_AS_STRING(native), static_cast<size_t>(PyBytes_GET_SIZE(native))};
  }
  if (PyObject* kind = PyDict_GetItemString(fields, "kind"); kind != nullptr) {
    failure->kind = static_cast<sabir_status>(PyLong_AsLong(kind));
  }
  PyObject* caused_by = PyDict_GetItemString(fields, "cause");
  if (caused_by != nullptr && PyBytes_Check(caused_by)) {
    cause->encoding = SABIR_NEUTRAL;
    cause->is_error = 1;
    cause->data = PyBytes_AS_STRING(caused_by);
    cause->size = static_cast<size_t>(PyBytes_GET_SIZE(caused_by));
    failure->cause = cause;
  }
  PyObject* retryable = PyDict_GetItemString(fields, "retryable");
  failure->retryable = retryable != nullptr && PyObject_IsTrue(retryable) == 1;
}

void fail(sabir_work* work, const sabir_failure& failure) {
  // That this fails in turn (a full store) has become the call's result by then.
  sabir_error* error = nullptr;
  sabir_work_fail(work, &failure, &error);
  sabir_error_destroy(error);
}

}  // namespace

void fail_with_exception(sabir_work* work, uint32_t function_index) {
  Raised raised = Raised::take();
  PyObject* value = raised.value.get();
  if (raised.traceback && value != nullptr) {
    PyException_SetTraceback(value, raised.traceback.get());
  }
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.language = SABIR_LANGUAGE_PYTHON;

  Owned index(PyLong_FromUnsignedLong(function_index));
  Owned fields(value == nullptr ? nullptr
                                : PyObject_CallFunctionObjArgs(state().hooks.failure, value, index.get(), nullptr));
  if (!fields || !PyDict_Check(fields.get())) {
    PyErr_Clear();
    const char* name = raised.type ? reinterpret_cast<PyTypeObject*>(raised.type.get())->tp_name : "unknown exception";
    failure.type = as_string(name);
    failure.message = as_string("an exception that could not be described");
    fail(work, failure);
    return;
  }
  sabir_view cause{};
  read_failure(fields.get(), &failure, &cause);
  fail(work, failure);
}

PyObject* error_map(PyObject*, PyObject* fields) {
  if (!PyDict_Check(fields)) {
    return PyErr_Format(PyExc_TypeError, "a dict of an error's fields is wanted");
  }
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.language = SABIR_LANGUAGE_PYTHON;
  sabir_view cause{};
  read_failure(fields, &failure, &cause);
  sabir_buffer* map = nullptr;
  sabir_error* error = nullptr;
  if (sabir_failure_encode(&failure, &map, &error) != SABIR_OK) {
    return raise(error);
  }
  sabir_span bytes = sabir_buffer_bytes(map);
  PyObject* made = PyBytes_FromStringAndSize(static_cast<const char*>(bytes.data), static_cast<Py_ssize_t>(bytes.size));
  sabir_buffer_destroy(map);
  return made;
}

}  // namespace sabir::python
