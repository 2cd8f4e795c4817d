#include "sdk-python/native/arguments.h"

#include "sdk-python/native/captured.h"
#include "sdk-python/native/object_ref.h"

namespace sabir::python {

void Arguments::reserve(size_t count) {
  if (count > kInlineArgs) {
    more_args_ = std::make_unique<sabir_arg[]>(count);
    more_values_ = std::make_unique<EncodedValue[]>(count);
    args_ = more_args_.get();
    values_ = more_values_.get();
  }
}

bool Arguments::add(PyObject* value, PyObject* name) {
  sabir_arg& arg = args_[size_];
  arg.ref = nullptr;
  arg.name = {nullptr, 0};
  if (name != nullptr && !utf8_of(name, "an argument's name", &arg.name)) {
    return false;
  }
  if (is_object_ref(value)) {
    arg.ref = ref_of(value);
    arg.value = {};
  } else {
    EncodedValue& encoded = values_[size_];
    if (!(for_others_ ? encoded.encode_for_others(value, static_cast<Py_ssize_t>(size_), name)
                      : encoded.encode(value))) {
      return false;
    }
    arg.value = encoded.value();
    size_bytes_ += encoded.size_bytes();
  }
  ++size_;
  return true;
}

bool Arguments::encode(PyObject* const* values, size_t count, PyObject* names, PyObject* captured) {
  size_t named = names == nullptr ? 0 : static_cast<size_t>(PyTuple_GET_SIZE(names));
  reserve(count + named + (captured == nullptr ? 0 : 1));
  for (size_t i = 0; i < count + named; ++i) {
    if (!add(values[i], i < count ? nullptr : PyTuple_GET_ITEM(names, static_cast<Py_ssize_t>(i - count)))) {
      return false;
    }
  }
  return captured == nullptr || add(captured, captured_name());
}

bool Arguments::encode(PyObject* args, PyObject* kwargs) {
  Py_ssize_t count = PyTuple_GET_SIZE(args);
  reserve(static_cast<size_t>(count + (kwargs == nullptr ? 0 : PyDict_GET_SIZE(kwargs))));
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!add(PyTuple_GET_ITEM(args, i), nullptr)) {
      return false;
    }
  }
  PyObject* name = nullptr;
  PyObject* value = nullptr;
  Py_ssize_t position = 0;
  while (kwargs != nullptr && PyDict_Next(kwargs, &position, &name, &value)) {
    if (!add(value, name)) {
      return false;
    }
  }
  return true;
}

PyObject* wrap_returns(sabir_ref** refs, size_t count) {
  if (count == 0) {
    Py_RETURN_NONE;
  }
  if (count == 1) {
    return wrap_ref(refs[0]);
  }
  Owned list(PyList_New(static_cast<Py_ssize_t>(count)));
  for (size_t i = 0; i < count; ++i) {
    PyObject* wrapped = list ? wrap_ref(refs[i]) : nullptr;
    if (wrapped == nullptr) {
      for (size_t j = list ? i + 1 : i; j < count; ++j) {
        sabir_ref_release(refs[j]);
      }
      return nullptr;
    }
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), wrapped);
  }
  return list.release();
}

}  // namespace sabir::python
