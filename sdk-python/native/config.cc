#include "sdk-python/native/config.h"

#include "sdk-python/native/function.h"
#include "sdk-python/native/scheduling.h"

namespace sabir::python {
namespace {

// Read one entry of the dict; an absent one keeps its default. False with an exception set.
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

}  // namespace

bool Config::read_language_envs(PyObject* list) {
  if (list == nullptr) {
    return true;
  }
  if (!PyList_Check(list)) {
    PyErr_SetString(PyExc_TypeError, "language_envs must be a list of (language, mode, argv, slots)");
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    unsigned char language = 0;
    unsigned int mode = 0;
    PyObject* argv = nullptr;
    long slots = 0;
    if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "bIO!l", &language, &mode, &PyList_Type, &argv, &slots)) {
      return false;
    }
    slots_per_process_.push_back(slots < 0 || slots > UINT32_MAX ? 0 : static_cast<uint32_t>(slots));  // 0 is refused
    std::vector<sabir_string>& words = argvs_.emplace_back();
    for (Py_ssize_t j = 0; j < PyList_GET_SIZE(argv); ++j) {
      if (!utf8_of(PyList_GET_ITEM(argv, j), "a word of argv", &words.emplace_back())) {
        return false;
      }
    }
    envs_.push_back({language, mode, words.data(), words.size()});
  }
  return true;
}

bool Config::read(PyObject* dict) {
  if (!PyDict_Check(dict)) {
    PyErr_SetString(PyExc_TypeError, "the configuration must be a dict");
    return false;
  }
  PyObject* amounts = PyDict_GetItemString(dict, "resources");
  PyObject* labels = PyDict_GetItemString(dict, "labels");
  PyObject* store_bytes = PyDict_GetItemString(dict, "store_bytes");
  PyObject* log_to_driver = PyDict_GetItemString(dict, "log_to_driver");
  PyObject* timeout_s = PyDict_GetItemString(dict, "timeout_s");
  if (!read_text(dict, "address", &config_.address) || !read_text(dict, "daemon_path", &config_.daemon_path) ||
      !read_text(dict, "session_root", &config_.session_root) || !read_text(dict, "job_name", &config_.job_name) ||
      !read_text(dict, "namespace", &config_.name_space) || !read_bytes(dict, "job_config", &config_.job_config) ||
      (amounts != nullptr && !resources_of(amounts, &resources_)) ||
      (labels != nullptr && !labels_of(labels, &labels_)) ||
      !read_language_envs(PyDict_GetItemString(dict, "language_envs"))) {
    return false;
  }
  if (store_bytes != nullptr && store_bytes != Py_None) {
    config_.store_bytes = PyLong_AsUnsignedLongLong(store_bytes);
  }
  PyObject* role = PyDict_GetItemString(dict, "cluster_role");
  if (role != nullptr) {
    PyObject* port = PyDict_GetItemString(dict, "node_port");
    PyObject* insecure = PyDict_GetItemString(dict, "insecure");
    if (!read_text(dict, "join_string", &config_.join_string) || !read_text(dict, "node_host", &config_.node_host) ||
        !read_text(dict, "node_name", &config_.node_name) || !read_text(dict, "state_dir", &config_.state_dir)) {
      return false;
    }
    config_.cluster_role = static_cast<sabir_cluster_role>(PyLong_AsLong(role));
    long number = port != nullptr ? PyLong_AsLong(port) : 0;
    if (number < 0 || number > UINT16_MAX) {
      PyErr_Format(PyExc_ValueError, "a port is 0 to 65535, not %ld", number);
      return false;
    }
    config_.node_port = static_cast<uint16_t>(number);
    config_.insecure = insecure != nullptr && PyObject_IsTrue(insecure) == 1;
    PyObject* with_caller = PyDict_GetItemString(dict, "ends_with_caller");
    PyObject* durable = PyDict_GetItemString(dict, "durable");
    config_.durable = durable != nullptr && PyObject_IsTrue(durable) == 1;
    PyObject* join_life_s = PyDict_GetItemString(dict, "join_life_s");
    config_.ends_with_caller = with_caller != nullptr && PyObject_IsTrue(with_caller) == 1;
    if (join_life_s != nullptr && join_life_s != Py_None) {
      config_.join_life_ns = static_cast<int64_t>(PyFloat_AsDouble(join_life_s) * 1e9);
    }
  }
  if (timeout_s != nullptr && timeout_s != Py_None) {
    config_.timeout_ns = static_cast<int64_t>(PyFloat_AsDouble(timeout_s) * 1e9);
  }
  if (log_to_driver != nullptr) {
    config_.log_to_driver = PyObject_IsTrue(log_to_driver) == 1;
  }
  config_.language = SABIR_LANGUAGE_PYTHON;
  config_.resources = resources_.data();
  config_.resource_count = resources_.size();
  config_.labels = labels_.data();
  config_.label_count = labels_.size();
  config_.language_envs = envs_.data();
  config_.language_env_count = envs_.size();
  config_.slots_per_process = slots_per_process_.data();
  return PyErr_Occurred() == nullptr;
}

}  // namespace sabir::python
