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

void fail(sabir_work* work, const sabir_failure& failure) {
  // That this fails in turn (a full store) has become the call's result by then.
  sabir_error* error = nullptr;
  sabir_work_fail(work, &failure, &error);
  sabir_error_destroy(error);
}

}  // namespace

void fail_with_exception(sabir_work* work, uint32_t function_index) {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback != nullptr && value != nullptr) {
    PyException_SetTraceback(value, traceback);
  }
  Owned keep_type(type);
  Owned keep_value(value);
  Owned keep_traceback(traceback);
  sabir_failure failure = SABIR_FAILURE_INIT;
  failure.language = SABIR_LANGUAGE_PYTHON;

  Owned index(PyLong_FromUnsignedLong(function_index));
  Owned fields(value == nullptr ? nullptr
                                : PyObject_CallFunctionObjArgs(state().hooks.failure, value, index.get(), nullptr));
  if (!fields || !PyDict_Check(fields.get())) {
    PyErr_Clear();
    const char* name = type != nullptr ? reinterpret_cast<PyTypeObject*>(type)->tp_name : "unknown exception";
    failure.type = as_string(name);
    failure.message = as_string("an exception that could not be described");
    fail(work, failure);
    return;
  }
  failure.message = text_in(fields.get(), "message");
  failure.type = text_in(fields.get(), "type");
  failure.stack = text_in(fields.get(), "stack");
  PyObject* native = PyDict_GetItemString(fields.get(), "native");
  if (native != nullptr && PyBytes_Check(native)) {
    failure.native = {PyBytes_AS_STRING(native), static_cast<size_t>(PyBytes_GET_SIZE(native))};
  }
  if (PyObject* kind = PyDict_GetItemString(fields.get(), "kind"); kind != nullptr) {
    failure.kind = static_cast<sabir_status>(PyLong_AsLong(kind));
  }
  sabir_view cause{};
  PyObject* caused_by = PyDict_GetItemString(fields.get(), "cause");
  if (caused_by != nullptr && PyBytes_Check(caused_by)) {
    cause.encoding = SABIR_NEUTRAL;
    cause.is_error = 1;
    cause.data = PyBytes_AS_STRING(caused_by);
    cause.size = static_cast<size_t>(PyBytes_GET_SIZE(caused_by));
    failure.cause = &cause;
  }
  PyObject* retryable = PyDict_GetItemString(fields.get(), "retryable");
  failure.retryable = retryable != nullptr && PyObject_IsTrue(retryable) == 1;
  fail(work, failure);
}

}  // namespace sabir::python
