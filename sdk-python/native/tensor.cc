#include "sdk-python/native/tensor.h"

#include <cstring>

namespace sabir::python {
namespace {

// What a tensor's items are called in numpy and in the struct module; bfloat16 has no name in either.
struct ItemFacts {
  const char* numpy;
  const char* format;
  uint8_t size_bytes;
};
constexpr ItemFacts kItemFacts[] = {
    {nullptr, nullptr, 0}, {"bool_", "?", 1},   {"int8", "b", 1},          {"int16", "h", 2},
    {"int32", "i", 4},     {"int64", "q", 8},   {"uint8", "B", 1},         {"uint16", "H", 2},
    {"uint32", "I", 4},    {"uint64", "Q", 8},  {"float16", "e", 2},       {"uint16", "H", 2},
    {"float32", "f", 4},   {"float64", "d", 8}, {"complex64", nullptr, 8}, {"complex128", nullptr, 16},
};
constexpr size_t kItemTypes = sizeof(kItemFacts) / sizeof(kItemFacts[0]);

PyTypeObject* array_type = nullptr;     // numpy.ndarray, once it has been met
PyObject* item_types[kItemTypes] = {};  // numpy.dtype objects, made on demand

// The type code of a buffer's format; 0: none.
uint8_t type_of(const Py_buffer& buffer) {
  const char* format = buffer.format;
  if (format == nullptr) {
    return 0;
  }
  bool is_complex = format[0] == 'Z';
  if (format[is_complex ? 1 : 0] == 0 || format[is_complex ? 2 : 1] != 0) {
    return 0;  // records, sub-arrays, byte orders
  }
  if (is_complex) {
    return format[1] == 'f' ? kComplex64Items : format[1] == 'd' ? kComplex128Items : 0;
  }
  auto by_size = [&](uint8_t one_byte) -> uint8_t {
    switch (buffer.itemsize) {
      case 1:
        return one_byte;
      case 2:
        return one_byte + 1;
      case 4:
        return one_byte + 2;
      case 8:
        return one_byte + 3;
      default:
        return 0;
    }
  };
  switch (format[0]) {
    case '?':
      return kBoolItems;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
      return by_size(kInt8Items);
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
      return by_size(kUint8Items);
    case 'e':
      return kFloat16Items;
    case 'f':
      return kFloat32Items;
    case 'd':
      return kFloat64Items;
    default:
      return 0;
  }
}

// numpy's own strides of lengths 0 and 1 may be anything.
void set_strides(Tensor* tensor, int64_t item_bytes, bool fortran) {
  int64_t stride = item_bytes;
  for (int i = 0; i < tensor->dimensions; ++i) {
    int at = fortran ? i : tensor->dimensions - 1 - i;
    tensor->strides[at] = stride;
    stride *= tensor->shape[at] == 0 ? 1 : static_cast<int64_t>(tensor->shape[at]);
  }
}

bool find_array_type() {
  if (array_type == nullptr) {
    Owned numpy(PyImport_ImportModule("numpy"));
    Owned type(numpy ? PyObject_GetAttrString(numpy.get(), "ndarray") : nullptr);
    if (!type) {
      return false;
    }
    array_type = reinterpret_cast<PyTypeObject*>(type.release());
  }
  return true;
}

PyObject* item_type(uint8_t type) {
  if (item_types[type] == nullptr) {
    Owned numpy(PyImport_ImportModule("numpy"));
    Owned scalar(numpy ? PyObject_GetAttrString(numpy.get(), kItemFacts[type].numpy) : nullptr);
    item_types[type] = scalar ? PyObject_CallMethod(numpy.get(), "dtype", "O", scalar.get()) : nullptr;
  }
  return item_types[type];
}

template <typename T>
Owned tuple_of(const T* numbers, int count) {
  Owned tuple(PyTuple_New(count));
  for (int i = 0; tuple && i < count; ++i) {
    PyObject* number = PyLong_FromLongLong(static_cast<long long>(numbers[i]));
    if (number == nullptr) {
      return Owned();
    }
    PyTuple_SET_ITEM(tuple.get(), i, number);
  }
  return tuple;
}

// Whether every item lies inside of `size_bytes`. numpy checks this too, but its sums wrap around.
bool lies_inside(const Tensor& tensor, uint64_t size_bytes) {
  for (int i = 0; i < tensor.dimensions; ++i) {
    if (tensor.shape[i] == 0) {
      return true;
    }
  }
  uint64_t end = kItemFacts[tensor.type].size_bytes;
  for (int i = 0; i < tensor.dimensions; ++i) {
    uint64_t steps = tensor.shape[i] - 1;
    uint64_t reach = 0;
    // Strides count from the first item: there is nothing before it.
    if (steps > 0 &&
        (tensor.strides[i] < 0 || __builtin_mul_overflow(steps, static_cast<uint64_t>(tensor.strides[i]), &reach) ||
         __builtin_add_overflow(end, reach, &end))) {
      return false;
    }
  }
  return end <= size_bytes;
}

// Without numpy: what the standard library has for it.
PyObject* make_memoryview(const Tensor& tensor, PyObject* buffer) {
  Owned bytes(PyMemoryView_FromObject(buffer));
  const char* format = kItemFacts[tensor.type].format;
  Tensor plain = tensor;
  Py_ssize_t items = 1;
  for (int i = 0; i < tensor.dimensions; ++i) {
    items *= static_cast<Py_ssize_t>(tensor.shape[i]);
  }
  if (bytes && format != nullptr && items > 0) {
    set_strides(&plain, PyMemoryView_GET_BUFFER(bytes.get())->len / items, false);
  }
  if (!bytes || format == nullptr ||
      std::memcmp(plain.strides, tensor.strides, tensor.dimensions * sizeof(plain.strides[0])) != 0) {
    return PyErr_Format(PyExc_ImportError, "reading this tensor needs numpy, which is not installed here");
  }
  Owned shape = tuple_of(tensor.shape, tensor.dimensions);
  return shape ? PyObject_CallMethod(bytes.get(), "cast", "sO", format, shape.get()) : nullptr;
}

}  // namespace

bool is_array(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  if (type == array_type) {
    return true;
  }
  return array_type == nullptr && std::strcmp(type->tp_name, "numpy.ndarray") == 0 && find_array_type() &&
         type == array_type;
}

Encoded open_array(PyObject* array, Tensor* out, Py_buffer* buffer) {
  if (PyObject_GetBuffer(array, buffer, PyBUF_STRIDES | PyBUF_FORMAT) != 0) {
    PyErr_Clear();  // dates and the like
    return Encoded::kUnsuitable;
  }
  out->type = type_of(*buffer);
  if (out->type == 0 || buffer->ndim > kTensorDimensionsMax) {
    PyBuffer_Release(buffer);
    return Encoded::kUnsuitable;
  }
  bool c_order = PyBuffer_IsContiguous(buffer, 'C') != 0;
  if (!c_order && PyBuffer_IsContiguous(buffer, 'F') == 0) {
    PyBuffer_Release(buffer);
    Owned copy(PyObject_CallMethod(array, "copy", nullptr));
    return copy ? open_array(copy.get(), out, buffer) : Encoded::kError;
  }
  out->dimensions = static_cast<uint8_t>(buffer->ndim);
  for (int i = 0; i < buffer->ndim; ++i) {
    out->shape[i] = static_cast<uint64_t>(buffer->shape[i]);
  }
  set_strides(out, buffer->itemsize, !c_order);
  return Encoded::kDone;
}

PyObject* make_array(const Tensor& tensor, PyObject* buffer) {
  if (tensor.type == 0 || tensor.type >= kItemTypes) {
    return PyErr_Format(PyExc_ValueError, "malformed tensor: unknown type of items (%d)", tensor.type);
  }
  for (int i = 0; i < tensor.dimensions; ++i) {
    if (tensor.shape[i] > static_cast<uint64_t>(PY_SSIZE_T_MAX)) {
      return PyErr_Format(PyExc_ValueError, "malformed tensor: a length of %llu",
                          static_cast<unsigned long long>(tensor.shape[i]));
    }
  }
  Py_buffer bytes;
  if (PyObject_GetBuffer(buffer, &bytes, PyBUF_SIMPLE) != 0) {
    return nullptr;
  }
  auto size_bytes = static_cast<uint64_t>(bytes.len);
  PyBuffer_Release(&bytes);
  if (!lies_inside(tensor, size_bytes)) {
    return PyErr_Format(PyExc_ValueError, "malformed tensor: shape and strides lead out of its %llu bytes",
                        static_cast<unsigned long long>(size_bytes));
  }
  if (!find_array_type()) {
    if (!PyErr_ExceptionMatches(PyExc_ImportError)) {
      return nullptr;
    }
    PyErr_Clear();
    return make_memoryview(tensor, buffer);
  }
  PyObject* type = item_type(tensor.type);
  Owned shape = tuple_of(tensor.shape, tensor.dimensions);
  Owned strides = tuple_of(tensor.strides, tensor.dimensions);
  if (type == nullptr || !shape || !strides) {
    return nullptr;
  }
  return PyObject_CallFunction(reinterpret_cast<PyObject*>(array_type), "OOOiO", shape.get(), type, buffer, 0,
                               strides.get());
}

}  // namespace sabir::python
