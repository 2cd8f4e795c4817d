#include "sdk-python/native/actor.h"

#include "sdk-python/native/arguments.h"
#include "sdk-python/native/function.h"
#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/scheduling.h"

namespace sabir::python {

PyTypeObject* actor_type = nullptr;

namespace {

struct Actor {
  PyObject_HEAD sabir_actor* handle;
};

void dealloc(PyObject* self) {
  sabir_actor_release(actor_of(self));
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* info(PyObject* self, PyObject*) {
  sabir_actor_info info = SABIR_ACTOR_INFO_INIT;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  sabir_actor* actor = actor_of(self);
  {
    Unlocked unlocked;
    status = sabir_actor_get_info(actor, &info, &error);
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  return Py_BuildValue("{s:N,s:N,s:N,s:y#,s:i}", "actor_id", to_unicode(info.actor_id), "name", to_unicode(info.name),
                       "class_name", to_unicode(info.class_name), "class_info",
                       static_cast<const char*>(info.class_info.data), static_cast<Py_ssize_t>(info.class_info.size),
                       "language", static_cast<int>(info.language));
}

PyObject* kill(PyObject* self, PyObject* no_restart) {
  int flag = PyObject_IsTrue(no_restart);
  if (flag < 0) {
    return nullptr;
  }
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  sabir_actor* actor = actor_of(self);
  {
    Unlocked unlocked;
    status = sabir_actor_kill(actor, static_cast<uint8_t>(flag), &error);
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  Py_RETURN_NONE;
}

// The index of this handle in the value being encoded, for ActorHandle.__reduce__.
PyObject* collect(PyObject* self, PyObject*) {
  sabir_ref* ref = sabir_actor_as_ref(actor_of(self));
  if (ref == nullptr) {
    return PyErr_NoMemory();
  }
  Py_ssize_t index = collect_ref(ref);
  sabir_ref_release(ref);
  return index < 0 ? nullptr : PyLong_FromSsize_t(index);
}

// The actor's id. Asks nobody, so that a handle can be hashed and printed whatever became of its actor and session.
PyObject* hex(PyObject* self, PyObject*) {
  sabir_ref* ref = sabir_actor_as_ref(actor_of(self));
  if (ref == nullptr) {
    return PyErr_NoMemory();
  }
  PyObject* text = hex_of(ref);
  sabir_ref_release(ref);
  return text;
}

PyMethodDef methods[] = {
    {"info", info, METH_NOARGS, "A dict: actor_id, name, class_name, class_info, language."},
    {"hex", hex, METH_NOARGS, "The actor's id as 32 hexadecimal digits."},
    {"kill", kill, METH_O, "Ends the actor's process; the argument is no_restart."},
    {"_collect", collect, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_tp_methods, methods},
    {0, nullptr},
};
PyType_Spec spec = {"sabir._sabir.Actor", sizeof(Actor), 0, Py_TPFLAGS_DEFAULT, slots};

// Absent and None leave the default.
bool read_text(PyObject* dict, const char* key, sabir_string* out) {
  PyObject* value = PyDict_GetItemString(dict, key);
  return value == nullptr || value == Py_None || utf8_of(value, key, out);
}

bool read_int(PyObject* dict, const char* key, long minimum, long* out) {
  PyObject* value = PyDict_GetItemString(dict, key);
  if (value == nullptr) {
    return true;
  }
  *out = PyLong_AsLong(value);
  if (*out == -1 && PyErr_Occurred()) {
    return false;
  }
  if (*out < minimum || *out > INT32_MAX) {
    PyErr_Format(PyExc_ValueError, "%s must be at least %ld, not %ld", key, minimum, *out);
    return false;
  }
  return true;
}

// Fills `options` from the dict that sabir/_options.py has checked; strings and bytes stay owned by it.
bool options_of(PyObject* dict, std::vector<sabir_resource>* resources, sabir_actor_options* options) {
  PyObject* item = PyDict_GetItemString(dict, "resources");
  if (item != nullptr && !resources_of(item, resources)) {
    return false;
  }
  long max_restarts = 0;
  long max_task_retries = 0;
  long max_concurrency = 1;
  if (!read_int(dict, "max_restarts", -1, &max_restarts) ||
      !read_int(dict, "max_task_retries", -1, &max_task_retries) ||
      !read_int(dict, "max_concurrency", 1, &max_concurrency)) {
    return false;
  }
  if (!read_text(dict, "name", &options->name) || !read_text(dict, "namespace", &options->name_space)) {
    return false;
  }
  item = PyDict_GetItemString(dict, "class_info");
  if (item != nullptr) {
    if (!PyBytes_Check(item)) {
      PyErr_SetString(PyExc_TypeError, "class_info must be bytes");
      return false;
    }
    options->class_info = {PyBytes_AS_STRING(item), static_cast<size_t>(PyBytes_GET_SIZE(item))};
  }
  options->resources = resources->data();
  options->resource_count = resources->size();
  options->max_restarts = static_cast<int32_t>(max_restarts);
  options->max_task_retries = static_cast<int32_t>(max_task_retries);
  options->max_concurrency = static_cast<uint32_t>(max_concurrency);
  item = PyDict_GetItemString(dict, "detached");
  options->detached = item != nullptr && PyObject_IsTrue(item) == 1;
  item = PyDict_GetItemString(dict, "get_if_exists");
  options->get_if_exists = item != nullptr && PyObject_IsTrue(item) == 1;
  return true;
}

}  // namespace

sabir_actor* actor_of(PyObject* actor) { return reinterpret_cast<Actor*>(actor)->handle; }

PyObject* wrap_actor(sabir_actor* handle) {
  Actor* actor = PyObject_New(Actor, actor_type);
  if (actor == nullptr) {
    sabir_actor_release(handle);
    return nullptr;
  }
  actor->handle = handle;
  return reinterpret_cast<PyObject*>(actor);
}

PyObject* create_actor(PyObject*, PyObject* args) {
  PyObject* function = nullptr;
  PyObject* option_dict = nullptr;
  PyObject* positional = nullptr;
  PyObject* named = nullptr;
  if (!PyArg_ParseTuple(args, "O!O!O!O!", function_type, &function, &PyDict_Type, &option_dict, &PyTuple_Type,
                        &positional, &PyDict_Type, &named)) {
    return nullptr;
  }
  sabir_client* client = require_client();
  sabir_actor_options options = SABIR_ACTOR_OPTIONS_INIT;
  std::vector<sabir_resource> resources;
  SchedulingOf place;
  Arguments arguments(function_language(function));
  if (client == nullptr || !options_of(option_dict, &resources, &options) ||
      !place.read(PyDict_GetItemString(option_dict, "scheduling")) || !arguments.encode(positional, named)) {
    return nullptr;
  }
  options.scheduling = place.get();
  sabir_actor* actor = nullptr;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status =
        sabir_actor_create(client, function_of(function), &options, arguments.data(), arguments.size(), &actor, &error);
  }
  return status == SABIR_OK ? wrap_actor(actor) : raise(error);
}

PyObject* lookup_actor(PyObject*, PyObject* args) {
  PyObject* name = nullptr;
  PyObject* name_space = nullptr;
  if (!PyArg_ParseTuple(args, "UU", &name, &name_space)) {
    return nullptr;
  }
  sabir_client* client = require_client();
  sabir_string name_text{};
  sabir_string space_text{};
  if (client == nullptr || !utf8_of(name, "name", &name_text) || !utf8_of(name_space, "namespace", &space_text)) {
    return nullptr;
  }
  sabir_actor* actor = nullptr;
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status = sabir_actor_lookup(client, name_text, space_text, &actor, &error);
  }
  return status == SABIR_OK ? wrap_actor(actor) : raise(error);
}

bool add_actor_type(PyObject* module) {
  actor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (actor_type == nullptr) {
    return false;
  }
  actor_type->tp_new = nullptr;
  Py_INCREF(actor_type);
  return PyModule_AddObject(module, "Actor", reinterpret_cast<PyObject*>(actor_type)) == 0;
}

}  // namespace sabir::python
