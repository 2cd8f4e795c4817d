#include "sdk-python/native/scheduling.h"

namespace sabir::python {

bool labels_of(PyObject* list, std::vector<sabir_label>* out) {
  if (!PyList_Check(list)) {
    PyErr_SetString(PyExc_TypeError, "labels must be a list of (key, value)");
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    PyObject* key = nullptr;
    PyObject* value = nullptr;
    sabir_label label{};
    if (!PyArg_ParseTuple(PyList_GET_ITEM(list, i), "UU", &key, &value) || !utf8_of(key, "a label", &label.key) ||
        !utf8_of(value, "a label's value", &label.value)) {
      return false;
    }
    out->push_back(label);
  }
  return true;
}

bool SchedulingOf::read(PyObject* tuple) {
  if (tuple == nullptr || tuple == Py_None) {
    return true;
  }
  unsigned int kind = 0;
  int soft = 0;
  PyObject* node_id = nullptr;
  PyObject* labels = nullptr;
  PyObject* fallbacks = nullptr;
  PyObject* group = nullptr;
  int capture = 0;
  if (!PyTuple_Check(tuple) || !PyArg_ParseTuple(tuple, "IUpO!O!Uip", &kind, &node_id, &soft, &PyList_Type, &labels,
                                                 &PyList_Type, &fallbacks, &group, &scheduling_.bundle, &capture)) {
    if (PyErr_Occurred() == nullptr) {
      PyErr_SetString(PyExc_TypeError, "scheduling must be a tuple");
    }
    return false;
  }
  if (!utf8_of(node_id, "a node's id", &scheduling_.node_id) ||
      !utf8_of(group, "a placement group's id", &scheduling_.group_id) || !labels_of(labels, &labels_)) {
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(fallbacks); ++i) {
    std::vector<sabir_label>& conditions = fallback_labels_.emplace_back();
    if (!labels_of(PyList_GET_ITEM(fallbacks, i), &conditions)) {
      return false;
    }
    fallbacks_.push_back({conditions.data(), conditions.size()});
  }
  scheduling_.strategy = kind;
  scheduling_.soft = soft != 0;
  scheduling_.capture_children = capture != 0;
  scheduling_.labels = {labels_.data(), labels_.size()};
  scheduling_.fallbacks = fallbacks_.data();
  scheduling_.fallback_count = fallbacks_.size();
  given_ = true;
  return true;
}

}  // namespace sabir::python
