#include "sdk-python/native/plain.h"

#include <algorithm>
#include <unordered_set>

#include "sdk-python/native/actor.h"
#include "sdk-python/native/moment.h"
#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/plain_layout.h"
#include "sdk-python/native/tensor.h"

namespace sabir::python {
namespace {

class Encoder {
 public:
  explicit Encoder(PlainOutput& out) : out_(out) {}

  Encoded encode(PyObject* value, int depth) {
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
        return Encoded::kUnsuitable;
      }
      return sized(kStr, data, size);
    }
    if (type == &PyFloat_Type) {
      tag(kFloat);
      double number = PyFloat_AS_DOUBLE(value);
      raw(&number, sizeof(number));
      return Encoded::kDone;
    }
    if (type == &PyBytes_Type) {
      return sized(kBytes, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
    }
    if (is_object_ref(value)) {
      return reference(kRef, ref_of(value));
    }
    if (type == &PyList_Type || type == &PyTuple_Type || type == &PyDict_Type) {
      return container(value, depth);
    }
    if (is_array(value)) {
      return array(value);
    }
    if (reinterpret_cast<PyObject*>(type) == state().hooks.actor_handle) {
      return actor(value);
    }
    return timestamp(value);
  }

 private:
  Encoded tag(PlainTag tag) {
    out_.bytes.push_back(tag);
    return Encoded::kDone;
  }
  void raw(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    out_.bytes.insert(out_.bytes.end(), bytes, bytes + size);
  }
  void length(Py_ssize_t size) {
    auto number = static_cast<uint32_t>(size);
    raw(&number, sizeof(number));
  }

  Encoded integer(PyObject* value) {
    int overflow = 0;
    int64_t number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
      return big_integer(value);
    }
    if (number >= -128 && number < 128) {
      tag(kInt8);
      out_.bytes.push_back(static_cast<uint8_t>(number));
    } else {
      tag(kInt64);
      raw(&number, sizeof(number));
    }
    return Encoded::kDone;
  }

  Encoded big_integer(PyObject* value) {
    uint64_t number = PyLong_AsUnsignedLongLong(value);
    if (!PyErr_Occurred()) {
      tag(kUint64);
      raw(&number, sizeof(number));
      return Encoded::kDone;
    }
    PyErr_Clear();
    // One bit is the sign's; of a negative power of two this may be a byte too many, which ~ does not count.
    Owned inverted(PyNumber_Invert(value));
    Owned zero(PyLong_FromLong(0));
    int negative = PyObject_RichCompareBool(value, zero.get(), Py_LT);
    Owned bits(negative < 0 || !inverted
                   ? nullptr
                   : PyObject_CallMethod(negative == 1 ? inverted.get() : value, "bit_length", nullptr));
    Py_ssize_t size = bits ? PyLong_AsSsize_t(bits.get()) / 8 + 1 : 0;
    Owned method(size > 0 ? PyObject_GetAttrString(value, "to_bytes") : nullptr);
    Owned args(method ? Py_BuildValue("(ns)", size, "little") : nullptr);
    Owned options(args ? Py_BuildValue("{s:O}", "signed", Py_True) : nullptr);
    Owned bytes(options ? PyObject_Call(method.get(), args.get(), options.get()) : nullptr);
    return bytes ? sized(kBigInt, PyBytes_AS_STRING(bytes.get()), size) : Encoded::kError;
  }

  Encoded sized(PlainTag kind, const char* data, Py_ssize_t size) {
    if (size > UINT32_MAX) {
      return Encoded::kUnsuitable;
    }
    tag(kind);
    length(size);
    raw(data, static_cast<size_t>(size));
    return Encoded::kDone;
  }

  Encoded reference(PlainTag kind, sabir_ref* ref) {
    tag(kind);
    auto index = static_cast<uint32_t>(out_.refs.add(ref));
    raw(&index, sizeof(index));
    return Encoded::kDone;
  }

  Encoded actor(PyObject* handle) {
    Owned native(PyObject_GetAttrString(handle, "_native"));
    if (!native) {
      return Encoded::kError;
    }
    sabir_ref* ref = sabir_actor_as_ref(actor_of(native.get()));
    Encoded result = reference(kActor, ref);
    sabir_ref_release(ref);
    return result;
  }

  Encoded timestamp(PyObject* value) {
    int64_t unix_ns = 0;
    int32_t offset_s = 0;
    if (Encoded result = read_moment(value, &unix_ns, &offset_s); result != Encoded::kDone) {
      return result;
    }
    tag(kTimestamp);
    raw(&unix_ns, sizeof(unix_ns));
    raw(&offset_s, sizeof(offset_s));
    return Encoded::kDone;
  }

  Encoded array(PyObject* value) {
    Tensor tensor;
    Py_buffer buffer;
    Encoded opened = open_array(value, &tensor, &buffer);
    if (opened != Encoded::kDone) {
      return opened;
    }
    TensorHead head{tensor.type, tensor.dimensions, 0, static_cast<uint32_t>(out_.buffers.size()), 0};
    out_.buffers.push_back(buffer);
    tag(kTensor);
    raw(&head, kTensorTagBytes);
    raw(tensor.shape, tensor.dimensions * sizeof(tensor.shape[0]));
    raw(tensor.strides, tensor.dimensions * sizeof(tensor.strides[0]));
    return Encoded::kDone;
  }

  Encoded container(PyObject* value, int depth) {
    if (depth == kPlainDepthMax || (depth > 0 && Py_REFCNT(value) != 1 && met_before(value))) {
      return Encoded::kUnsuitable;
    }
    if (PyList_CheckExact(value)) {
      // Encoding an item may run Python code (an array's copy), which may change the list.
      return items(
          kList, value, PyList_GET_SIZE(value), [](PyObject* list, Py_ssize_t i) { return PyList_GET_ITEM(list, i); },
          [](PyObject* list) { return PyList_GET_SIZE(list); }, depth);
    }
    if (PyTuple_CheckExact(value)) {
      return items(
          kTuple, value, PyTuple_GET_SIZE(value),
          [](PyObject* tuple, Py_ssize_t i) { return PyTuple_GET_ITEM(tuple, i); },
          [](PyObject* tuple) { return PyTuple_GET_SIZE(tuple); }, depth);
    }
    return dict(value, depth);
  }

  // Only what several places refer to can be met twice. Mostly few are: a walk over them beats a hash table.
  bool met_before(PyObject* value) {
    if (PyTuple_CheckExact(value) && PyTuple_GET_SIZE(value) == 0) {
      return false;  // one object in all of the interpreter
    }
    constexpr size_t kFew = 32;
    if (met_.size() < kFew) {
      if (std::find(met_.begin(), met_.end(), value) != met_.end()) {
        return true;
      }
      met_.push_back(value);
      return false;
    }
    if (met_many_.empty()) {
      met_many_.insert(met_.begin(), met_.end());
    }
    return !met_many_.insert(value).second;
  }

  template <typename Get, typename Size>
  Encoded items(PlainTag kind, PyObject* value, Py_ssize_t size, Get get, Size size_now, int depth) {
    if (size > UINT32_MAX) {
      return Encoded::kUnsuitable;
    }
    tag(kind);
    length(size);
    for (Py_ssize_t i = 0; i < size; ++i) {
      if (size_now(value) != size) {
        return Encoded::kUnsuitable;
      }
      if (Encoded result = encode(get(value, i), depth + 1); result != Encoded::kDone) {
        return result;
      }
    }
    return Encoded::kDone;
  }

  Encoded dict(PyObject* value, int depth) {
    Py_ssize_t size = PyDict_GET_SIZE(value);
    if (size > UINT32_MAX) {
      return Encoded::kUnsuitable;
    }
    tag(kDict);
    length(size);
    PyObject* key = nullptr;
    PyObject* item = nullptr;
    Py_ssize_t position = 0;
    Py_ssize_t count = 0;
    while (PyDict_Next(value, &position, &key, &item)) {
      ++count;
      if (Encoded result = encode(key, depth + 1); result != Encoded::kDone) {
        return result;
      }
      if (Encoded result = encode(item, depth + 1); result != Encoded::kDone) {
        return result;
      }
      if (PyDict_GET_SIZE(value) != size) {
        return Encoded::kUnsuitable;
      }
    }
    return count == size ? Encoded::kDone : Encoded::kUnsuitable;
  }

  PlainOutput& out_;
  std::vector<PyObject*> met_;
  std::unordered_set<PyObject*> met_many_;
};

}  // namespace

Encoded encode_plain(PyObject* value, PlainOutput& out) { return Encoder(out).encode(value, 0); }

}  // namespace sabir::python
