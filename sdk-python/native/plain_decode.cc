#include <cstring>

#include "sdk-python/native/actor.h"
#include "sdk-python/native/moment.h"
#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/plain.h"
#include "sdk-python/native/plain_layout.h"
#include "sdk-python/native/tensor.h"

namespace sabir::python {
namespace {

class Decoder {
 public:
  explicit Decoder(const PlainInput& input) : input_(input), at_(input.data), end_(input.data + input.size) {}

  bool at_end() const { return at_ == end_; }

  PyObject* decode(int depth) {
    if (at_ == end_) {
      return malformed();
    }
    if (depth > kPlainDepthMax) {
      return PyErr_Format(PyExc_ValueError, "plain value nested deeper than %d", kPlainDepthMax);
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
      case kUint64: {
        uint64_t number = 0;
        return read(&number, sizeof(number)) ? PyLong_FromUnsignedLongLong(number) : malformed();
      }
      case kBigInt:
        return big_integer();
      case kFloat: {
        double number = 0;
        return read(&number, sizeof(number)) ? PyFloat_FromDouble(number) : malformed();
      }
      case kFloat32: {
        float number = 0;
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
        sabir_ref* ref = reference();
        return ref == nullptr ? malformed() : wrap_ref(sabir_ref_retain(ref));
      }
      case kActor:
        return actor();
      case kTimestamp:
        return timestamp();
      case kTensor:
        return array();
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
  sabir_ref* reference() {
    uint32_t index = 0;
    return read(&index, sizeof(index)) && index < input_.ref_count ? input_.refs[index] : nullptr;
  }

  PyObject* big_integer() {
    const char* bytes = nullptr;
    Py_ssize_t size = sized(&bytes);
    if (size <= 0) {
      return malformed();
    }
    Owned method(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyLong_Type), "from_bytes"));
    Owned args(method ? Py_BuildValue("(y#s)", bytes, size, "little") : nullptr);
    Owned options(args ? Py_BuildValue("{s:O}", "signed", Py_True) : nullptr);
    return options ? PyObject_Call(method.get(), args.get(), options.get()) : nullptr;
  }

  PyObject* actor() {
    sabir_ref* ref = reference();
    if (ref == nullptr) {
      return malformed();
    }
    sabir_actor* handle = nullptr;
    sabir_error* error = nullptr;
    if (sabir_ref_as_actor(ref, &handle, &error) != SABIR_OK) {
      return raise(error);
    }
    Owned native(wrap_actor(handle));
    return native ? PyObject_CallMethod(state().hooks.actor_handle, "_from_native", "O", native.get()) : nullptr;
  }

  PyObject* timestamp() {
    int64_t unix_ns = 0;
    int32_t offset_s = 0;
    if (!read(&unix_ns, sizeof(unix_ns)) || !read(&offset_s, sizeof(offset_s))) {
      return malformed();
    }
    return make_moment(unix_ns, offset_s == kNoOffset ? 0 : offset_s);
  }

  PyObject* array() {
    TensorHead head{};
    Tensor tensor;
    if (!read(&head, kTensorTagBytes) || head.dimensions > kTensorDimensionsMax) {
      return malformed();
    }
    tensor.type = head.type;
    tensor.dimensions = head.dimensions;
    Py_ssize_t buffers = input_.buffers == nullptr ? 0 : PyList_GET_SIZE(input_.buffers);
    if (!read(tensor.shape, tensor.dimensions * sizeof(tensor.shape[0])) ||
        !read(tensor.strides, tensor.dimensions * sizeof(tensor.strides[0])) ||
        head.data_offset >= static_cast<size_t>(buffers)) {
      return malformed();
    }
    return make_array(tensor, PyList_GET_ITEM(input_.buffers, head.data_offset));
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
      if (!item) {
        return malformed();
      }
      if (PyDict_SetItem(result.get(), key.get(), item.get()) != 0) {
        return bad_key();
      }
    }
    // Other languages tell them apart. Without this one of the entries would be lost in silence.
    if (result && static_cast<uint32_t>(PyDict_GET_SIZE(result.get())) != size) {
      PyErr_SetString(PyExc_ValueError,
                      "a map with two keys that are equal in Python, as 1, 1.0 and True are: let keys have one type");
      return nullptr;
    }
    return result.release();
  }
  PyObject* bad_key() {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Clear();
      PyErr_SetString(PyExc_ValueError, "malformed plain value: a list, a map or a tensor in a key");
    }
    return nullptr;
  }

  const PlainInput& input_;
  const uint8_t* at_;
  const uint8_t* end_;
};

}  // namespace

PyObject* decode_plain(const PlainInput& input) {
  Decoder decoder(input);
  Owned value(decoder.decode(0));
  if (value && !decoder.at_end()) {
    return PyErr_Format(PyExc_ValueError, "malformed plain value: bytes after its end");
  }
  return value.release();
}

}  // namespace sabir::python
