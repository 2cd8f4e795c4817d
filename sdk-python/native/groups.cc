#include "sdk-python/native/groups.h"

#include <deque>
#include <vector>

#include "sdk-python/native/client_call.h"
#include "sdk-python/native/encode.h"
#include "sdk-python/native/encoded.h"
#include "sdk-python/native/function.h"
#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/scheduling.h"

namespace sabir::python {

PyObject* create_group(PyObject*, PyObject* args) {
  sabir_group_options options = SABIR_GROUP_OPTIONS_INIT;
  PyObject* list = nullptr;
  PyObject* name = nullptr;
  PyObject* name_space = nullptr;
  int detached = 0;
  if (!PyArg_ParseTuple(args, "IO!UUp", &options.strategy, &PyList_Type, &list, &name, &name_space, &detached) ||
      !utf8_of(name, "name", &options.name) || !utf8_of(name_space, "namespace", &options.name_space)) {
    return nullptr;
  }
  std::vector<sabir_bundle> bundles;
  std::deque<std::vector<sabir_resource>> resources;  // deque: the arrays must not move
  std::deque<std::vector<sabir_label>> labels;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject* amounts = nullptr;
    PyObject* conditions = nullptr;
    std::vector<sabir_resource>& own_resources = resources.emplace_back();
    std::vector<sabir_label>& own_labels = labels.emplace_back();
    if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "OO", &amounts, &conditions) ||
        !resources_of(amounts, &own_resources) || !labels_of(conditions, &own_labels)) {
      return nullptr;
    }
    bundles.push_back({own_resources.data(), own_resources.size(), {own_labels.data(), own_labels.size()}});
  }
  options.bundles = bundles.data();
  options.bundle_count = bundles.size();
  options.detached = detached != 0;
  sabir_group_id id{};
  if (!call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_group_create(client, &options, &id, error);
      })) {
    return nullptr;
  }
  return PyUnicode_FromString(id.hex);
}

PyObject* group_ready(PyObject*, PyObject* args) {
  PyObject* id = nullptr;
  PyObject* value = nullptr;
  sabir_string id_text{};
  EncodedValue encoded;
  if (!PyArg_ParseTuple(args, "UO", &id, &value) || !utf8_of(id, "id", &id_text) || !encoded.encode_to_put(value)) {
    return nullptr;
  }
  sabir_ref* ref = nullptr;
  const sabir_value& bytes = encoded.value();
  if (!call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_group_ready(client, id_text, &bytes, &ref, error);
      })) {
    return nullptr;
  }
  return wrap_ref(ref);
}

PyObject* remove_group(PyObject*, PyObject* id) {
  sabir_string id_text{};
  if (!utf8_of(id, "id", &id_text) || !call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_group_remove(client, id_text, error);
      })) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* find_groups(PyObject*, PyObject* args) {
  PyObject* id = nullptr;
  PyObject* name = nullptr;
  PyObject* name_space = nullptr;
  sabir_string texts[3] = {};
  sabir_buffer* json = nullptr;
  if (!PyArg_ParseTuple(args, "UUU", &id, &name, &name_space) || !utf8_of(id, "id", &texts[0]) ||
      !utf8_of(name, "name", &texts[1]) || !utf8_of(name_space, "namespace", &texts[2]) ||
      !call_client([&](sabir_client* client, sabir_error** error) {
        return sabir_group_find(client, texts[0], texts[1], texts[2], &json, error);
      })) {
    return nullptr;
  }
  sabir_span bytes = sabir_buffer_bytes(json);
  PyObject* text =
      PyUnicode_DecodeUTF8(static_cast<const char*>(bytes.data), static_cast<Py_ssize_t>(bytes.size), "replace");
  sabir_buffer_destroy(json);
  return text;
}

PyObject* current_group(PyObject*, PyObject*) {
  sabir_current_group current = SABIR_CURRENT_GROUP_INIT;
  if (!call_client(
          [&](sabir_client* client, sabir_error** error) { return sabir_group_current(client, &current, error); })) {
    return nullptr;
  }
  if (current.group.hex[0] == 0) {
    Py_RETURN_NONE;
  }
  return Py_BuildValue("siO", current.group.hex, current.bundle, current.capture_children != 0 ? Py_True : Py_False);
}

}  // namespace sabir::python
