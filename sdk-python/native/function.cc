#include "sdk-python/native/function.h"

#include "sdk-python/native/scheduling.h"

namespace sabir::python {

PyTypeObject* function_type = nullptr;
PyTypeObject* task_type = nullptr;

namespace {

struct Function {
  PyObject_HEAD sabir_function* handle;
  sabir_language language;
};

struct Task {
  PyObject_HEAD sabir_task* handle;
  uint32_t num_returns;
  sabir_language language;
};

template <typename T, void (*Release)(decltype(T::handle))>
void dealloc(PyObject* self) {
  Release(reinterpret_cast<T*>(self)->handle);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* function_index(PyObject* self, void*) {
  return PyLong_FromUnsignedLong(sabir_function_index(function_of(self)));
}

PyObject* task_infeasible(PyObject* self, void*) { return to_unicode(sabir_task_infeasible(task_of(self))); }

PyGetSetDef function_properties[] = {
    {"index", function_index, nullptr, "Its place in the session's function table.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
PyGetSetDef task_properties[] = {
    {"infeasible", task_infeasible, nullptr, "Why no node can run it now, or the empty string.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot function_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<Function, sabir_function_release>)},
    {Py_tp_getset, function_properties},
    {0, nullptr},
};
PyType_Slot task_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<Task, sabir_task_release>)},
    {Py_tp_getset, task_properties},
    {0, nullptr},
};
PyType_Spec function_spec = {"sabir._sabir.Function", sizeof(Function), 0, Py_TPFLAGS_DEFAULT, function_slots};
PyType_Spec task_spec = {"sabir._sabir.Task", sizeof(Task), 0, Py_TPFLAGS_DEFAULT, task_slots};

bool add_type(PyObject* module, const char* name, PyType_Spec* spec, PyTypeObject** out) {
  *out = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(spec));
  if (*out == nullptr) {
    return false;
  }
  (*out)->tp_new = nullptr;
  Py_INCREF(*out);
  return PyModule_AddObject(module, name, reinterpret_cast<PyObject*>(*out)) == 0;
}

}  // namespace

sabir_function* function_of(PyObject* function) { return reinterpret_cast<Function*>(function)->handle; }
sabir_task* task_of(PyObject* task) { return reinterpret_cast<Task*>(task)->handle; }
uint32_t task_num_returns(PyObject* task) { return reinterpret_cast<Task*>(task)->num_returns; }
sabir_language function_language(PyObject* function) { return reinterpret_cast<Function*>(function)->language; }
sabir_language task_language(PyObject* task) { return reinterpret_cast<Task*>(task)->language; }

bool resources_of(PyObject* dict, std::vector<sabir_resource>* out) {
  PyObject* name = nullptr;
  PyObject* amount = nullptr;
  Py_ssize_t position = 0;
  if (!PyDict_Check(dict)) {
    PyErr_SetString(PyExc_TypeError, "resources must be a dict of name to amount");
    return false;
  }
  while (PyDict_Next(dict, &position, &name, &amount)) {
    sabir_resource resource{};
    if (!utf8_of(name, "a resource's name", &resource.name)) {
      return false;
    }
    resource.amount = PyFloat_AsDouble(amount);
    if (resource.amount == -1.0 && PyErr_Occurred()) {
      return false;
    }
    out->push_back(resource);
  }
  return true;
}

PyObject* export_function(PyObject*, PyObject* args) {
  unsigned int kind = 0;
  unsigned char language = 0;
  PyObject* name = nullptr;
  Py_buffer code;
  if (!PyArg_ParseTuple(args, "IbUy*", &kind, &language, &name, &code)) {
    return nullptr;
  }
  sabir_client* client = require_client();
  sabir_string name_text{};
  sabir_function* handle = nullptr;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  bool ready = client != nullptr && utf8_of(name, "name", &name_text);
  if (ready) {
    sabir_span bytes{code.buf, static_cast<size_t>(code.len)};
    {
      Unlocked unlocked;
      status = sabir_function_export(client, kind, language, name_text, bytes, &handle, &error);
    }
  }
  PyBuffer_Release(&code);
  if (!ready) {
    return nullptr;
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  Function* function = PyObject_New(Function, function_type);
  if (function == nullptr) {
    sabir_function_release(handle);
    return nullptr;
  }
  function->handle = handle;
  function->language = language;
  return reinterpret_cast<PyObject*>(function);
}

PyObject* prepare_task(PyObject*, PyObject* args) {
  PyObject* function = nullptr;
  PyObject* resources = nullptr;
  PyObject* name = nullptr;
  sabir_task_options options = SABIR_TASK_OPTIONS_INIT;
  PyObject* scheduling = nullptr;
  int retry_errors = 0;
  if (!PyArg_ParseTuple(args, "O!OIipUO", function_type, &function, &resources, &options.num_returns,
                        &options.max_retries, &retry_errors, &name, &scheduling)) {
    return nullptr;
  }
  sabir_client* client = require_client();
  std::vector<sabir_resource> amounts;
  SchedulingOf place;
  if (client == nullptr || !resources_of(resources, &amounts) || !utf8_of(name, "name", &options.name) ||
      !place.read(scheduling)) {
    return nullptr;
  }
  // Not null for a task that wants nothing (num_cpus=0): null stands for the default, a CPU.
  static constexpr sabir_resource kNothing{};
  options.resources = amounts.empty() ? &kNothing : amounts.data();
  options.resource_count = amounts.size();
  options.retry_errors = retry_errors != 0;
  options.scheduling = place.get();
  sabir_task* handle = nullptr;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status = sabir_task_prepare(client, function_of(function), &options, &handle, &error);
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  Task* task = PyObject_New(Task, task_type);
  if (task == nullptr) {
    sabir_task_release(handle);
    return nullptr;
  }
  task->handle = handle;
  task->num_returns = options.num_returns;
  task->language = function_language(function);
  return reinterpret_cast<PyObject*>(task);
}

PyObject* get_function(PyObject*, PyObject* index) {
  unsigned long number = PyLong_AsUnsignedLong(index);
  sabir_client* client = require_client();
  if (client == nullptr || (number == static_cast<unsigned long>(-1) && PyErr_Occurred())) {
    return nullptr;
  }
  sabir_function_info info = SABIR_FUNCTION_INFO_INIT;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status = sabir_function_get(client, static_cast<uint32_t>(number), &info, &error);
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  return Py_BuildValue("(IiNy#)", info.kind, static_cast<int>(info.language), to_unicode(info.name),
                       static_cast<const char*>(info.code.data), static_cast<Py_ssize_t>(info.code.size));
}

bool add_function_types(PyObject* module) {
  return add_type(module, "Function", &function_spec, &function_type) &&
         add_type(module, "Task", &task_spec, &task_type);
}

}  // namespace sabir::python
