// Arrays of numbers: numpy's on this side, dtype, shape and strides over raw bytes on the wire (docs/values.md). Bytes
// are neither copied nor looked at. Without numpy a tensor is read as a memoryview.
#pragma once

#include "sdk-python/native/encoded.h"
#include "sdk-python/native/state.h"

namespace sabir::python {

inline constexpr int kTensorDimensionsMax = 32;

// As in docs/values.md.
enum TensorType : uint8_t {
  kBoolItems = 1,
  kInt8Items,
  kInt16Items,
  kInt32Items,
  kInt64Items,
  kUint8Items,
  kUint16Items,
  kUint32Items,
  kUint64Items,
  kFloat16Items,
  kBfloat16Items,
  kFloat32Items,
  kFloat64Items,
  kComplex64Items,
  kComplex128Items,
};

struct Tensor {
  uint8_t type = 0;
  uint8_t dimensions = 0;
  uint64_t shape[kTensorDimensionsMax];
  int64_t strides[kTensorDimensionsMax];  // bytes

  size_t shape_bytes() const { return dimensions * (sizeof(shape[0]) + sizeof(strides[0])); }
};

// Before shape and strides on the wire. At the head of a tensor value: where its bytes begin, and how many they are. In
// a plain stream only the first eight bytes are there, and data_offset is the index of a buffer.
struct TensorHead {
  uint8_t type;
  uint8_t dimensions;
  uint16_t reserved;
  uint32_t data_offset;
  uint64_t data_bytes;
};
static_assert(sizeof(TensorHead) == 16);
inline constexpr size_t kTensorTagBytes = 8;

// An exact numpy.ndarray, of whatever items.
bool is_array(PyObject* object);

// Describes an array and opens its buffer (the caller releases it); the buffer is contiguous, in C or Fortran order: of
// other arrays it is a copy's. kUnsuitable: items that no other language knows (objects, records, other byte orders).
Encoded open_array(PyObject* array, Tensor* out, Py_buffer* buffer);

// A read-only array over `buffer`, an object with the buffer protocol that it keeps alive; null with an exception set.
PyObject* make_array(const Tensor& tensor, PyObject* buffer);

}  // namespace sabir::python
