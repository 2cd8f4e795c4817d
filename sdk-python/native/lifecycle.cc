#include "sdk-python/native/lifecycle.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <vector>

#include "sdk-python/native/events.h"
#include "sdk-python/native/function.h"

namespace sabir::python {
namespace {

void adopt(sabir_client* client) {
  State& now = state();
  now.client = client;
  ++now.epoch;
}

// Reads one entry of the config dict; absent ones keep their default. False with an exception set.
bool read_text(PyObject* dict, const char* key, sabir_string* out) {
  PyObject* item = PyDict_GetItemString(dict, key);
  return item == nullptr || item == Py_None || utf8_of(item, key, out);
}

bool read_bytes(PyObject* dict, const char* key, sabir_span* out) {
  PyObject* item = PyDict_GetItemString(dict, key);
  if (item == nullptr) {
    return true;
  }
  if (!PyBytes_Check(item)) {
    PyErr_Format(PyExc_TypeError, "%s must be bytes", key);
    return false;
  }
  *out = {PyBytes_AS_STRING(item), static_cast<size_t>(PyBytes_GET_SIZE(item))};
  return true;
}

// Language environments as the ABI wants them. deque: the argv arrays must not move.
struct LanguageEnvs {
  std::vector<sabir_language_env> envs;
  std::deque<std::vector<sabir_string>> argvs;

  bool read(PyObject* list) {
    if (list == nullptr) {
      return true;
    }
    if (!PyList_Check(list)) {
      PyErr_SetString(PyExc_TypeError, "language_envs must be a list of (language, mode, argv)");
      return false;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
      unsigned char language = 0;
      unsigned int mode = 0;
      PyObject* argv = nullptr;
      if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "bIO!", &language, &mode, &PyList_Type, &argv)) {
        return false;
      }
      std::vector<sabir_string>& words = argvs.emplace_back();
      for (Py_ssize_t j = 0; j < PyList_GET_SIZE(argv); ++j) {
        if (!utf8_of(PyList_GET_ITEM(argv, j), "a word of argv", &words.emplace_back())) {
          return false;
        }
      }
      envs.push_back({language, mode, words.data(), words.size()});
    }
    return true;
  }
};

bool read_config(PyObject* dict, sabir_config* config, std::vector<sabir_resource>* resources, LanguageEnvs* envs) {
  PyObject* amounts = PyDict_GetItemString(dict, "resources");
  PyObject* store_bytes = PyDict_GetItemString(dict, "store_bytes");
  PyObject* log_to_driver = PyDict_GetItemString(dict, "log_to_driver");
  PyObject* timeout_s = PyDict_GetItemString(dict, "timeout_s");
  if (!read_text(dict, "address", &config->address) || !read_text(dict, "daemon_path", &config->daemon_path) ||
      !read_text(dict, "session_root", &config->session_root) || !read_text(dict, "job_name", &config->job_name) ||
      !read_text(dict, "namespace", &config->name_space) || !read_bytes(dict, "job_config", &config->job_config) ||
      (amounts != nullptr && !resources_of(amounts, resources)) ||
      !envs->read(PyDict_GetItemString(dict, "language_envs"))) {
    return false;
  }
  if (store_bytes != nullptr && store_bytes != Py_None) {
    config->store_bytes = PyLong_AsUnsignedLongLong(store_bytes);
  }
  if (timeout_s != nullptr && timeout_s != Py_None) {
    config->timeout_ns = static_cast<int64_t>(PyFloat_AsDouble(timeout_s) * 1e9);
  }
  if (log_to_driver != nullptr) {
    config->log_to_driver = PyObject_IsTrue(log_to_driver) == 1;
  }
  config->resources = resources->data();
  config->resource_count = resources->size();
  config->language_envs = envs->envs.data();
  config->language_env_count = envs->envs.size();
  return PyErr_Occurred() == nullptr;
}

PyObject* buffer_to_bytes(sabir_buffer* buffer) {
  sabir_span bytes = sabir_buffer_bytes(buffer);
  PyObject* result =
      PyBytes_FromStringAndSize(static_cast<const char*>(bytes.data), static_cast<Py_ssize_t>(bytes.size));
  sabir_buffer_destroy(buffer);
  return result;
}

// Calls without the GIL; the result of `operation(client, &error)` is OK or raised.
template <typename Operation>
bool call(Operation operation) {
  sabir_client* client = require_client();
  if (client == nullptr) {
    return false;
  }
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  status = operation(client, &error);
  Py_END_ALLOW_THREADS;
  if (status != SABIR_OK) {
    raise(error);
    return false;
  }
  return true;
}

}  // namespace

PyObject* start(PyObject*, PyObject* dict) {
  sabir_config config = SABIR_CONFIG_INIT;
  std::vector<sabir_resource> resources;
  LanguageEnvs envs;
  if (!PyDict_Check(dict)) {
    return PyErr_Format(PyExc_TypeError, "start() wants a dict");
  }
  if (!read_config(dict, &config, &resources, &envs)) {
    return nullptr;
  }
  sabir_client* client = nullptr;
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  result = sabir_client_start(&config, &client, &error);
  Py_END_ALLOW_THREADS;
  if (result != SABIR_OK) {
    return raise(error);
  }
  adopt(client);
  Py_RETURN_NONE;
}

PyObject* start_worker(PyObject*, PyObject* args) {
  PyObject* session = nullptr;
  PyObject* token = nullptr;
  sabir_string session_text{};
  sabir_string token_text{};
  if (!PyArg_ParseTuple(args, "UU", &session, &token) || !utf8_of(session, "session", &session_text) ||
      !utf8_of(token, "token", &token_text)) {
    return nullptr;
  }
  sabir_client* client = nullptr;
  sabir_error* error = nullptr;
  sabir_status result = sabir_client_start_worker(session_text, token_text, &client, &error);
  if (result != SABIR_OK) {
    return raise(error);
  }
  // The zygote's thread became this process's main thread by fork.
  state().main_thread = static_cast<long>(PyThread_get_thread_ident());
  adopt(client);
  Py_RETURN_NONE;
}

PyObject* shutdown(PyObject*, PyObject*) {
  State& now = state();
  sabir_client* client = now.client;
  if (client == nullptr) {
    Py_RETURN_NONE;
  }
  now.client = nullptr;
  ++now.epoch;
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  result = sabir_client_shutdown(client, &error);
  Py_END_ALLOW_THREADS;
  close_events();
  Py_BEGIN_ALLOW_THREADS;
  sabir_client_destroy(client);
  Py_END_ALLOW_THREADS;
  // In a forked child there was nothing to shut down.
  if (result != SABIR_OK && result != SABIR_FORKED && result != SABIR_DISCONNECTED) {
    return raise(error);
  }
  sabir_error_destroy(error);
  Py_RETURN_NONE;
}

PyObject* is_started(PyObject*, PyObject*) { return PyBool_FromLong(state().client != nullptr); }

PyObject* info(PyObject*, PyObject*) {
  sabir_client_info fields = SABIR_CLIENT_INFO_INIT;
  if (!call([&](sabir_client* client, sabir_error** error) { return sabir_client_get_info(client, &fields, error); })) {
    return nullptr;
  }
  return Py_BuildValue("{s:N,s:N,s:N,s:N,s:N,s:y#,s:N,s:i,s:N}", "session_path", to_unicode(fields.session_path),
                       "job_id", to_unicode(fields.job_id), "node_id", to_unicode(fields.node_id), "process_id",
                       to_unicode(fields.process_id), "namespace", to_unicode(fields.name_space), "job_config",
                       static_cast<const char*>(fields.job_config.data),
                       static_cast<Py_ssize_t>(fields.job_config.size), "is_worker",
                       PyBool_FromLong(static_cast<long>(fields.is_worker)), "language",
                       static_cast<int>(fields.language), "actor_id", to_unicode(fields.actor_id));
}

PyObject* status(PyObject*, PyObject*) {
  sabir_buffer* json = nullptr;
  if (!call([&](sabir_client* client, sabir_error** error) { return sabir_session_status(client, &json, error); })) {
    return nullptr;
  }
  Owned bytes(buffer_to_bytes(json));
  return bytes ? PyUnicode_FromEncodedObject(bytes.get(), "utf-8", "replace") : nullptr;
}

PyObject* kv_put(PyObject*, PyObject* args) {
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  int overwrite = 1;
  sabir_string key_text{};
  if (!PyArg_ParseTuple(args, "USp", &key, &value, &overwrite) || !utf8_of(key, "key", &key_text)) {
    return nullptr;
  }
  sabir_span bytes{PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value))};
  uint8_t added = 0;
  if (!call([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_put(client, key_text, bytes, static_cast<uint8_t>(overwrite), &added, error);
      })) {
    return nullptr;
  }
  return PyBool_FromLong(added);
}

PyObject* kv_get(PyObject*, PyObject* key) {
  sabir_string key_text{};
  sabir_buffer* value = nullptr;
  if (!utf8_of(key, "key", &key_text) || !call([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_get(client, key_text, &value, error);
      })) {
    return nullptr;
  }
  return buffer_to_bytes(value);
}

PyObject* kv_delete(PyObject*, PyObject* key) {
  sabir_string key_text{};
  uint8_t deleted = 0;
  if (!utf8_of(key, "key", &key_text) || !call([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_delete(client, key_text, &deleted, error);
      })) {
    return nullptr;
  }
  return PyBool_FromLong(deleted);
}

PyObject* version(PyObject*, PyObject*) { return to_unicode(sabir_version()); }

PyObject* node_start(PyObject*, PyObject* dict) {
  sabir_config config = SABIR_CONFIG_INIT;
  std::vector<sabir_resource> resources;
  LanguageEnvs envs;
  if (!PyDict_Check(dict)) {
    return PyErr_Format(PyExc_TypeError, "node_start() wants a dict");
  }
  if (!read_config(dict, &config, &resources, &envs)) {
    return nullptr;
  }
  sabir_buffer* path = nullptr;
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  result = sabir_node_start(&config, &path, &error);
  Py_END_ALLOW_THREADS;
  if (result != SABIR_OK) {
    return raise(error);
  }
  Owned bytes(buffer_to_bytes(path));
  return bytes ? PyUnicode_FromEncodedObject(bytes.get(), "utf-8", "replace") : nullptr;
}

PyObject* node_status(PyObject*, PyObject* args) {
  PyObject* address = nullptr;
  double timeout_s = 0;
  sabir_string where{};
  if (!PyArg_ParseTuple(args, "Ud", &address, &timeout_s) || !utf8_of(address, "address", &where)) {
    return nullptr;
  }
  sabir_buffer* json = nullptr;
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  result = sabir_node_status(where, {}, static_cast<int64_t>(timeout_s * 1e9), &json, &error);
  Py_END_ALLOW_THREADS;
  if (result != SABIR_OK) {
    return raise(error);
  }
  Owned bytes(buffer_to_bytes(json));
  return bytes ? PyUnicode_FromEncodedObject(bytes.get(), "utf-8", "replace") : nullptr;
}

PyObject* node_stop(PyObject*, PyObject* args) {
  PyObject* address = nullptr;
  double timeout_s = 0;
  sabir_string where{};
  if (!PyArg_ParseTuple(args, "Ud", &address, &timeout_s) || !utf8_of(address, "address", &where)) {
    return nullptr;
  }
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  Py_BEGIN_ALLOW_THREADS;
  result = sabir_node_stop(where, {}, static_cast<int64_t>(timeout_s * 1e9), &error);
  Py_END_ALLOW_THREADS;
  if (result != SABIR_OK) {
    return raise(error);
  }
  Py_RETURN_NONE;
}

PyObject* die_with(PyObject*, PyObject* pid) {
  long parent = PyLong_AsLong(pid);
  if (parent == -1 && PyErr_Occurred()) {
    return nullptr;
  }
  // The signal would be sent when the intermediate parent ends, were it asked for before.
  pid_t first = getppid();
  while (getppid() == first && first != parent) {
    usleep(200);
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return PyErr_SetFromErrno(PyExc_OSError);
  }
  if (getppid() != parent) {
    return PyErr_Format(PyExc_ConnectionError, "the node died while this worker started");
  }
  Py_RETURN_NONE;
}

}  // namespace sabir::python
