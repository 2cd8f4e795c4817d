#include "sdk-python/native/state.h"

namespace sabir::python {
namespace {

constexpr sabir_status kNotInitialized = -1;  // the SDK's own: there is no client

struct HookSlot {
  const char* name;
  PyObject* Hooks::*member;
};
constexpr HookSlot kHookSlots[] = {
    {"dumps", &Hooks::dumps},
    {"loads", &Hooks::loads},
    {"load_function", &Hooks::load_function},
    {"failure", &Hooks::failure},
    {"error_value", &Hooks::error_value},
    {"missing_method", &Hooks::missing_method},
    {"misfit", &Hooks::misfit},
    {"special_method", &Hooks::special_method},
    {"actor_handle", &Hooks::actor_handle},
    {"task_begins", &Hooks::task_begins},
    {"neutral", &Hooks::neutral},
    {"serialization_error", &Hooks::serialization_error},
    {"table", &Hooks::table},
};

}  // namespace

State& state() {
  static State instance;
  return instance;
}

sabir_client* require_client() {
  sabir_client* client = state().client;
  if (client == nullptr) {
    raise(kNotInitialized, "Sabir is not running in this process: call sabir.init() first");
  }
  return client;
}

PyObject* raise(sabir_status status, std::string_view message) {
  PyObject* type = nullptr;
  if (state().exceptions != nullptr) {
    Owned key(PyLong_FromLong(status));
    type = PyDict_GetItemWithError(state().exceptions, key.get());
  }
  if (!PyErr_Occurred()) {
    Owned text(PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
    PyErr_SetObject(type != nullptr ? type : PyExc_RuntimeError, text.get());
  }
  return nullptr;
}

PyObject* raise(sabir_error* error) {
  sabir_string message = sabir_error_message(error);
  raise(sabir_error_status(error), std::string_view(message.data, message.size));
  sabir_error_destroy(error);
  return nullptr;
}

Raised Raised::take() {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* traceback = nullptr;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  return {Owned(type), Owned(value), Owned(traceback)};
}

bool on_main_thread() { return static_cast<long>(PyThread_get_thread_ident()) == state().main_thread; }

bool still_started(uint64_t epoch) {
  if (epoch == state().epoch) {
    return true;
  }
  raise(SABIR_CLOSED, "sabir.shutdown() was called during the wait");
  return false;
}

bool handle_signals() { return PyErr_CheckSignals() == 0; }

bool utf8_of(PyObject* object, const char* what, sabir_string* out) {
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what, Py_TYPE(object)->tp_name);
    return false;
  }
  Py_ssize_t size = 0;
  const char* data = PyUnicode_AsUTF8AndSize(object, &size);
  if (data == nullptr) {
    return false;
  }
  *out = {data, static_cast<size_t>(size)};
  return true;
}

PyObject* set_hooks(PyObject*, PyObject* hooks) {
  for (const HookSlot& slot : kHookSlots) {
    PyObject* callable = PyDict_GetItemString(hooks, slot.name);
    if (callable == nullptr || !PyCallable_Check(callable)) {
      return PyErr_Format(PyExc_TypeError, "hook %s is missing", slot.name);
    }
    Py_INCREF(callable);
    Py_XSETREF(state().hooks.*slot.member, callable);
  }
  Py_RETURN_NONE;
}

PyObject* set_exceptions(PyObject*, PyObject* classes) {
  if (!PyDict_Check(classes)) {
    return PyErr_Format(PyExc_TypeError, "a dict of status to exception class is wanted");
  }
  Py_INCREF(classes);
  Py_XSETREF(state().exceptions, classes);
  Py_RETURN_NONE;
}

}  // namespace sabir::python
