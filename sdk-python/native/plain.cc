#include "sdk-python/native/plain.h"

#include <cstring>

#include "sdk-python/native/object_ref.h"

namespace sabir::python {
namespace {

constexpr int kDepthMax = 8;
// Above this pickle's C loop is as fast and memoises repeated strings.
constexpr size_t kBytesMax = 256 << 10;

enum Tag : uint8_t {
  kNone = 'N', kTrue = 'T', kFalse = 'F', kInt8 = 'i', kInt64 = 'I', kFloat = 'f', kStr = 's', kBytes = 'b',
  kList = 'l', kTuple = 't', kDict = 'd', kRef = 'r',
};

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
    if (depth == kDepthMax || (depth > 0 && Py_REFCNT(value) != 1)) {
      return PlainResult::kUnsuitable;
    }
    if (type == &PyList_Type) {
      return items(kList, PyList_GET_SIZE(value), [&](Py_ssize_t i) { return PyList_GET_ITEM(value, i); }, depth);
    }
    if (type == &PyTuple_Type) {
      return items(kTuple, PyTuple_GET_SIZE(value), [&](Py_ssize_t i) { return PyTuple_GET_ITEM(value, i); }, depth);
    }
    if (type == &PyDict_Type) {
      return dict(value, depth);
    }
    return PlainResult::kUnsuitable;
  }

 private:
  PlainResult tag(Tag tag) {
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
  PlainResult sized(Tag kind, const char* data, Py_ssize_t size) {
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
  PlainResult items(Tag kind, Py_ssize_t size, Get get, int depth) {
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

class Decoder {
 public:
  Decoder(const uint8_t* data, size_t size, sabir_ref* const* refs, size_t ref_count)
      : at_(data), end_(data + size), refs_(refs), ref_count_(ref_count) {}

  bool at_end() const { return at_ == end_; }

  PyObject* decode(int depth) {
    if (at_ == end_ || depth > kDepthMax + 1) {
      return malformed();
    }
    switch (*at_++) {
      case kNone:
        Py_RETURN_NONE;
      case kTrue:
        Py_RETURN_TRUE;
      case kFalse:
        Py_RETURN_FALSE;
      case kInt8:
        return left() < 1 ? malformed() : PyLong_FromLong(static_cast<int8_t>(*at_++));
      case kInt64: {
        int64_t number = 0;
        return read(&number, sizeof(number)) ? PyLong_FromLongLong(number) : malformed();
      }
      case kFloat: {
        double number = 0;
        return read(&number, sizeof(number)) ? PyFloat_FromDouble(number) : malformed();
      }
      case kStr: {
        const char* bytes = nullptr;
        Py_ssize_t size = sized(&bytes);
        return size < 0 ? malformed() : PyUnicode_DecodeUTF8(bytes, size, nullptr);
      }
      case kBytes: {
        const char* bytes = nullptr;
        Py_ssize_t size = sized(&bytes);
        return size < 0 ? malformed() : PyBytes_FromStringAndSize(bytes, size);
      }
      case kRef: {
        uint32_t index = 0;
        if (!read(&index, sizeof(index)) || index >= ref_count_) {
          return malformed();
        }
        return wrap_ref(sabir_ref_retain(refs_[index]));
      }
      case kList:
        return items(PyList_New, [](PyObject* list, Py_ssize_t i, PyObject* item) { PyList_SET_ITEM(list, i, item); },
                     depth);
      case kTuple:
        return items(PyTuple_New,
                     [](PyObject* tuple, Py_ssize_t i, PyObject* item) { PyTuple_SET_ITEM(tuple, i, item); }, depth);
      case kDict:
        return dict(depth);
      default:
        return malformed();
    }
  }

 private:
  size_t left() const { return static_cast<size_t>(end_ - at_); }
  PyObject* malformed() {
    if (!PyErr_Occurred()) {
      PyErr_SetString(PyExc_ValueError, "malformed plain value");
    }
    return nullptr;
  }
  bool read(void* out, size_t size) {
    if (left() < size) {
      return false;
    }
    std::memcpy(out, at_, size);
    at_ += size;
    return true;
  }
  Py_ssize_t sized(const char** bytes) {
    uint32_t size = 0;
    if (!read(&size, sizeof(size)) || left() < size) {
      return -1;
    }
    *bytes = reinterpret_cast<const char*>(at_);
    at_ += size;
    return static_cast<Py_ssize_t>(size);
  }
  template <typename New, typename Set>
  PyObject* items(New make, Set set, int depth) {
    uint32_t size = 0;
    if (!read(&size, sizeof(size)) || size > left()) {  // each item has at least its tag
      return malformed();
    }
    Owned container(make(static_cast<Py_ssize_t>(size)));
    for (uint32_t i = 0; container && i < size; ++i) {
      PyObject* item = decode(depth + 1);
      if (item == nullptr) {
        return nullptr;
      }
      set(container.get(), static_cast<Py_ssize_t>(i), item);
    }
    return container.release();
  }
  PyObject* dict(int depth) {
    uint32_t size = 0;
    if (!read(&size, sizeof(size)) || size > left()) {
      return malformed();
    }
    Owned result(PyDict_New());
    for (uint32_t i = 0; result && i < size; ++i) {
      Owned key(decode(depth + 1));
      Owned item(key ? decode(depth + 1) : nullptr);
      if (!item || PyDict_SetItem(result.get(), key.get(), item.get()) != 0) {
        return malformed();
      }
    }
    return result.release();
  }

  const uint8_t* at_;
  const uint8_t* end_;
  sabir_ref* const* refs_;
  size_t ref_count_;
};

}  // namespace

PlainResult encode_plain(PyObject* value, std::vector<uint8_t>& out, RefCollector& refs) {
  return Encoder(out, refs).encode(value, 0);
}

PyObject* decode_plain(const uint8_t* data, size_t size, sabir_ref* const* refs, size_t ref_count) {
  Decoder decoder(data, size, refs, ref_count);
  Owned value(decoder.decode(0));
  if (value && !decoder.at_end()) {
    return PyErr_Format(PyExc_ValueError, "malformed plain value: bytes after its end");
  }
  return value.release();
}

}  // namespace sabir::python
