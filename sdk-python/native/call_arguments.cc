#include "sdk-python/native/call_arguments.h"

#include "sdk-python/native/decode.h"

namespace sabir::python {

CallArguments::CallArguments(const sabir_work_view& work) {
  if (work.arg_count >= kInline) {
    more_ = std::make_unique<PyObject*[]>(work.arg_count + 1);
    values_ = more_.get();
  }
  ok_ = decode(work);
}

CallArguments::~CallArguments() {
  for (size_t i = 0; i < count_; ++i) {
    Py_DECREF(values_[1 + i]);
  }
}

PyObject* CallArguments::call(PyObject* callable) {
  // Bound methods put their instance into the free place.
  return PyObject_Vectorcall(callable, values_ + 1, positional_ | PY_VECTORCALL_ARGUMENTS_OFFSET, names_.get());
}

Owned CallArguments::positional() const {
  Owned tuple(PyTuple_New(static_cast<Py_ssize_t>(positional_)));
  for (size_t i = 0; tuple && i < positional_; ++i) {
    Py_INCREF(values_[1 + i]);
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), values_[1 + i]);
  }
  return tuple;
}

Owned CallArguments::named() const {
  Owned dict(PyDict_New());
  for (size_t i = positional_; dict && i < count_; ++i) {
    if (PyDict_SetItem(dict.get(), PyTuple_GET_ITEM(names_.get(), static_cast<Py_ssize_t>(i - positional_)),
                       values_[1 + i]) != 0) {
      return Owned();
    }
  }
  return dict;
}

bool CallArguments::decode(const sabir_work_view& work) {
  for (size_t i = 0; i < work.arg_count; ++i) {
    PyObject* value = decode_value(work.args[i].value, work.args[i].ref);
    if (value == nullptr) {
      return false;
    }
    values_[1 + count_++] = value;
    positional_ += work.args[i].name.size == 0 ? 1 : 0;
  }
  if (positional_ == count_) {
    return true;
  }
  names_ = Owned(PyTuple_New(static_cast<Py_ssize_t>(count_ - positional_)));
  for (size_t i = positional_; names_ && i < count_; ++i) {
    PyObject* name = to_unicode(work.args[i].name);
    if (name == nullptr) {
      return false;
    }
    PyUnicode_InternInPlace(&name);
    PyTuple_SET_ITEM(names_.get(), static_cast<Py_ssize_t>(i - positional_), name);
  }
  return static_cast<bool>(names_);
}

}  // namespace sabir::python
