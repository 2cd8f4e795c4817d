#include "sdk-python/native/ref_context.h"

#include "sdk-python/native/actor.h"
#include "sdk-python/native/object_ref.h"

namespace sabir::python {
namespace {

thread_local RefCollector* collector = nullptr;
thread_local RefSource* source = nullptr;
PyObject* loader = nullptr;

// The reference an index names in the value being decoded; null with an error set.
sabir_ref* find(PyObject* index) {
  size_t position = PyLong_AsSize_t(index);
  if (position == static_cast<size_t>(-1) && PyErr_Occurred()) {
    return nullptr;
  }
  sabir_ref* ref = source == nullptr ? nullptr : source->at(position);
  if (ref == nullptr) {
    PyErr_SetString(PyExc_RuntimeError, "a pickled Sabir reference can only be read as part of a Sabir value");
  }
  return ref;
}

}  // namespace

RefCollector::RefCollector() : outer_(collector) { collector = this; }

RefCollector::~RefCollector() {
  collector = outer_;
  for (sabir_ref* ref : refs_) {
    sabir_ref_release(ref);
  }
}

Py_ssize_t RefCollector::add(sabir_ref* ref) {
  refs_.push_back(sabir_ref_retain(ref));
  return static_cast<Py_ssize_t>(refs_.size()) - 1;
}

RefSource::RefSource(sabir_ref* const* refs, size_t count) : outer_(source), refs_(refs), count_(count) {
  source = this;
}

RefSource::~RefSource() { source = outer_; }

sabir_ref* RefSource::at(size_t index) const { return index < count_ ? sabir_ref_retain(refs_[index]) : nullptr; }

Py_ssize_t collect_ref(sabir_ref* ref) {
  if (collector == nullptr) {
    PyErr_SetString(PyExc_TypeError,
                    "a Sabir reference or actor handle can only travel inside a Sabir call or put: pickled elsewhere, "
                    "nothing would keep what it names alive");
    return -1;
  }
  return collector->add(ref);
}

PyObject* ref_loader() { return loader; }

PyObject* ref_at(PyObject*, PyObject* index) {
  sabir_ref* ref = find(index);
  return ref == nullptr ? nullptr : wrap_ref(ref);
}

PyObject* actor_at(PyObject*, PyObject* index) {
  sabir_ref* ref = find(index);
  if (ref == nullptr) {
    return nullptr;
  }
  sabir_actor* actor = nullptr;
  sabir_error* error = nullptr;
  sabir_status status = sabir_ref_as_actor(ref, &actor, &error);
  sabir_ref_release(ref);
  return status == SABIR_OK ? wrap_actor(actor) : raise(error);
}

bool remember_ref_loader(PyObject* module) {
  loader = PyObject_GetAttrString(module, "_ref_at");
  return loader != nullptr;
}

}  // namespace sabir::python
