#include "sdk-python/native/session.h"

#include "sdk-python/native/client_call.h"
#include "sdk-python/native/config.h"

namespace sabir::python {
namespace {

PyObject* buffer_to_bytes(sabir_buffer* buffer) {
  sabir_span bytes = sabir_buffer_bytes(buffer);
  PyObject* result =
      PyBytes_FromStringAndSize(static_cast<const char*>(bytes.data), static_cast<Py_ssize_t>(bytes.size));
  sabir_buffer_destroy(buffer);
  return result;
}

PyObject* buffer_to_text(sabir_buffer* buffer) {
  Owned bytes(buffer_to_bytes(buffer));
  return bytes ? PyUnicode_FromEncodedObject(bytes.get(), "utf-8", "replace") : nullptr;
}

bool read_address(PyObject* args, sabir_string* address, int64_t* timeout_ns) {
  PyObject* text = nullptr;
  double timeout_s = 0;
  if (!PyArg_ParseTuple(args, "Ud", &text, &timeout_s) || !utf8_of(text, "address", address)) {
    return false;
  }
  *timeout_ns = static_cast<int64_t>(timeout_s * 1e9);
  return true;
}

}  // namespace

PyObject* status(PyObject*, PyObject*) {
  sabir_buffer* json = nullptr;
  if (!call_client(
          [&](sabir_client* client, sabir_error** error) { return sabir_session_status(client, &json, error); })) {
    return nullptr;
  }
  return buffer_to_text(json);
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
  if (!call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_put(client, key_text, bytes, static_cast<uint8_t>(overwrite), &added, error);
      })) {
    return nullptr;
  }
  return PyBool_FromLong(added);
}

PyObject* kv_get(PyObject*, PyObject* key) {
  sabir_string key_text{};
  sabir_buffer* value = nullptr;
  if (!utf8_of(key, "key", &key_text) || !call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_get(client, key_text, &value, error);
      })) {
    return nullptr;
  }
  return buffer_to_bytes(value);
}

PyObject* kv_delete(PyObject*, PyObject* key) {
  sabir_string key_text{};
  uint8_t deleted = 0;
  if (!utf8_of(key, "key", &key_text) || !call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_kv_delete(client, key_text, &deleted, error);
      })) {
    return nullptr;
  }
  return PyBool_FromLong(deleted);
}

PyObject* node_start(PyObject*, PyObject* dict) {
  Config config;
  sabir_buffer* path = nullptr;
  if (!config.read(dict) ||
      !call_unlocked([&](sabir_error** error) { return sabir_node_start(config.get(), &path, error); })) {
    return nullptr;
  }
  return buffer_to_text(path);
}

PyObject* node_status(PyObject*, PyObject* args) {
  sabir_string address{};
  int64_t timeout_ns = 0;
  sabir_buffer* json = nullptr;
  if (!read_address(args, &address, &timeout_ns) ||
      !call_unlocked([&](sabir_error** error) { return sabir_node_status(address, {}, timeout_ns, &json, error); })) {
    return nullptr;
  }
  return buffer_to_text(json);
}

PyObject* node_stop(PyObject*, PyObject* args) {
  sabir_string address{};
  int64_t timeout_ns = 0;
  if (!read_address(args, &address, &timeout_ns) ||
      !call_unlocked([&](sabir_error** error) { return sabir_node_stop(address, {}, timeout_ns, error); })) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* node_drain(PyObject*, PyObject* args) {
  PyObject* address = nullptr;
  PyObject* node = nullptr;
  double deadline_s = 0;
  double timeout_s = 0;
  sabir_string address_text{};
  sabir_string node_text{};
  if (!PyArg_ParseTuple(args, "UUdd", &address, &node, &deadline_s, &timeout_s) ||
      !utf8_of(address, "address", &address_text) || !utf8_of(node, "node", &node_text)) {
    return nullptr;
  }
  auto deadline_ns = deadline_s < 0 ? int64_t{-1} : static_cast<int64_t>(deadline_s * 1e9);
  sabir_buffer* node_id = nullptr;
  if (!call_unlocked([&](sabir_error** error) {
        return sabir_node_drain(address_text, {}, node_text, deadline_ns, static_cast<int64_t>(timeout_s * 1e9),
                                &node_id, error);
      })) {
    return nullptr;
  }
  return buffer_to_text(node_id);
}

}  // namespace sabir::python
