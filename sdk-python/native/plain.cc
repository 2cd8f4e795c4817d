#include "sdk-python/native/plain.h"

#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/plain_layout.h"

namespace sabir::python {
namespace {

// Above this pickle's C loop is as fast and memoises repeated strings.
constexpr size_t kBytesMax = 256 << 10;

class Encoder {
 public:
  Encoder(std::vector<uint8_t>& out, RefCollector& refs) : out_(out), refs_(refs) {}

  PlainResult encode(PyObject* value, int depth) {
    PyTypeObject* type = Py_TYPE(value);
    if (value == Py_None) {
      return tag(kNone);
    }
    if (type == &PyBool_Type) {
      return tag(value == Py_True ? kTrue : kFalse);
    }
    if (type == &PyLong_Type) {
      return integer(value);
    }
    if (type == &PyUnicode_Type) {
      Py_ssize_t size = 0;
      const char* data = PyUnicode_AsUTF8AndSize(value, &size);
      if (data == nullptr) {
        PyErr_Clear();  // lone surrogates: pickle can
        return PlainResult::kUnsuitable;
      }
      return sized(kStr, data, size);
    }
    if (type == &PyFloat_Type) {
      tag(kFloat);
      double number = PyFloat_AS_DOUBLE(value);
      raw(&number, sizeof(number));
      return PlainResult::kDone;
    }
    if (type == &PyBytes_Type) {
      return sized(kBytes, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    }
    if (is_object_ref(value)) {
      tag(kRef);
      auto index = static_cast<uint32_t>(refs_.add(ref_of(value)));
      raw(&index, sizeof(index));
      return PlainResult::kDone;
    }
    if (depth == kPlainDepthMax || (depth > 0 && Py_REFCNT(value) != 1)) {
      return PlainResult::kUnsuitable;
    }
    if (type == &PyList_Type) {
      return items(
          kList, PyList_GET_SIZE(value), [&](Py_ssize_t i) { return PyList_GET_ITEM(value, i); }, depth);
    }
    if (type == &PyTuple_Type) {
      return items(
          kTuple, PyTuple_GET_SIZE(value), [&](Py_ssize_t i) { return PyTuple_GET_ITEM(value, i); }, depth);
    }
    if (type == &PyDict_Type) {
      return dict(value, depth);
    }
    return PlainResult::kUnsuitable;
  }

 private:
  PlainResult tag(PlainTag tag) {
    out_.push_back(tag);
    return PlainResult::kDone;
  }
  void raw(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
  }
  PlainResult integer(PyObject* value) {
    int overflow = 0;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
      return PlainResult::kUnsuitable;
    }
    if (number >= -128 && number < 128) {
      tag(kInt8);
      out_.push_back(static_cast<uint8_t>(number));
    } else {
      tag(kInt64);
      raw(&number, sizeof(number));
    }
    return PlainResult::kDone;
  }
  PlainResult sized(PlainTag kind, const char* data, Py_ssize_t size) {
    if (static_cast<size_t>(size) + out_.size() > kBytesMax) {
      return PlainResult::kUnsuitable;
    }
    tag(kind);
    length(size);
    raw(data, static_cast<size_t>(size));
    return PlainResult::kDone;
  }
  void length(Py_ssize_t size) {
    auto number = static_cast<uint32_t>(size);
    raw(&number, sizeof(number));
  }
  template <typename Get>
  PlainResult items(PlainTag kind, Py_ssize_t size, Get get, int depth) {
    if (static_cast<size_t>(size) + out_.size() > kBytesMax) {
      return PlainResult::kUnsuitable;
    }
    tag(kind);
    length(size);
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (PlainResult result = encode(get(i), depth + 1); result != PlainResult::kDone) {
        return result;
      }
    }
    return PlainResult::kDone;
  }
  PlainResult dict(PyObject* value, int depth) {
    tag(kDict);
    length(PyDict_GET_SIZE(value));
    PyObject* key = nullptr;
    PyObject* item = nullptr;
    Py_ssize_t position = 0;
    while (PyDict_Next(value, &position, &key, &item)) {
      // Keys are hashable, so a container among them is a tuple: rare enough for pickle.
      if (PyTuple_Check(key)) {
        return PlainResult::kUnsuitable;
      }
      if (PlainResult result = encode(key, depth + 1); result != PlainResult::kDone) {
        return result;
      }
      if (PlainResult result = encode(item, depth + 1); result != PlainResult::kDone) {
        return result;
      }
      if (out_.size() > kBytesMax) {
        return PlainResult::kUnsuitable;
      }
    }
    return PlainResult::kDone;
  }

  std::vector<uint8_t>& out_;
  RefCollector& refs_;
};

}  // namespace

PlainResult encode_plain(PyObject* value, std::vector<uint8_t>& out, RefCollector& refs) {
  return Encoder(out, refs).encode(value, 0);
}

}  // namespace sabir::python
