#include <cstring>

#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/plain.h"
#include "sdk-python/native/plain_layout.h"

namespace sabir::python {
namespace {

class Decoder {
 public:
  Decoder(const uint8_t* data, size_t size, sabir_ref* const* refs, size_t ref_count)
      : at_(data), end_(data + size), refs_(refs), ref_count_(ref_count) {}

  bool at_end() const { return at_ == end_; }

  PyObject* decode(int depth) {
    if (at_ == end_ || depth > kPlainDepthMax + 1) {
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
        return items(
            PyList_New, [](PyObject* list, Py_ssize_t i, PyObject* item) { PyList_SET_ITEM(list, i, item); }, depth);
      case kTuple:
        return items(
            PyTuple_New, [](PyObject* tuple, Py_ssize_t i, PyObject* item) { PyTuple_SET_ITEM(tuple, i, item); },
            depth);
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

PyObject* decode_plain(const uint8_t* data, size_t size, sabir_ref* const* refs, size_t ref_count) {
  Decoder decoder(data, size, refs, ref_count);
  Owned value(decoder.decode(0));
  if (value && !decoder.at_end()) {
    return PyErr_Format(PyExc_ValueError, "malformed plain value: bytes after its end");
  }
  return value.release();
}

}  // namespace sabir::python
