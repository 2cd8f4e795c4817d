#include "sdk-python/native/encode.h"

#include <cstring>

#include "sdk-python/native/buffers_layout.h"
#include "sdk-python/native/plain_layout.h"
#include "sdk-python/native/tensor.h"

namespace sabir::python {
namespace {

constexpr uint8_t kZeros[kBufferAlignment] = {};

}  // namespace

void EncodedValue::clear() {
  if (simple_) {
    return;
  }
  for (Py_buffer& buffer : buffers_) {
    PyBuffer_Release(&buffer);
  }
  for (sabir_ref* ref : refs_) {
    sabir_ref_release(ref);
  }
  buffers_.clear();
  refs_.clear();
  parts_.clear();
  keep_alive_ = Owned();
  simple_ = true;
}

void EncodedValue::set(sabir_encoding encoding, uint8_t variant, const sabir_span* parts, size_t count) {
  value_ = {};
  value_.encoding = encoding;
  value_.language = encoding == SABIR_NATIVE ? SABIR_LANGUAGE_PYTHON : SABIR_LANGUAGE_NONE;
  value_.variant = variant;
  value_.parts = parts;
  value_.part_count = static_cast<uint32_t>(count);
  value_.refs = refs_.data();
  value_.ref_count = refs_.size();
  size_bytes_ = 0;
  for (size_t i = 0; i < count; ++i) {
    size_bytes_ += parts[i].size;
  }
}

bool EncodedValue::encode(PyObject* object) {
  clear();
  if (object == Py_None) {
    set(SABIR_NULL, 0, nullptr, 0);
    return true;
  }
  size_t size = 0;
  if (encode_neutral_small(object, inline_, &size)) {
    single_ = {inline_, size};
    set(SABIR_NEUTRAL, 0, &single_, 1);
    return true;
  }
  simple_ = false;
  sabir_span content{};
  if (encode_neutral_text(object, bytes_, &content, tail_)) {
    Py_INCREF(object);
    keep_alive_ = Owned(object);  // the content stays inside it
    parts_ = {{bytes_.data(), bytes_.size()}, content, {tail_.data(), tail_.size()}};
    set(SABIR_NEUTRAL, 0, parts_.data(), parts_.size());
    return true;
  }
  bool suitable = true;
  if (is_array(object)) {
    if (encode_tensor(object, &suitable) || suitable) {
      return !PyErr_Occurred();
    }
  } else if (encode_plain(object, &suitable) || suitable) {
    return !PyErr_Occurred();
  }
  return encode_pickle(object);
}

bool EncodedValue::encode_tensor(PyObject* array, bool* suitable) {
  Tensor tensor;
  Py_buffer buffer;
  TensorResult opened = open_array(array, &tensor, &buffer);
  *suitable = opened != TensorResult::kUnsuitable;
  if (opened != TensorResult::kDone) {
    return false;
  }
  buffers_.push_back(buffer);
  TensorHead head{tensor.type, tensor.dimensions, 0, 0, static_cast<uint64_t>(buffer.len)};
  size_t start = aligned(sizeof(head) + tensor.shape_bytes());
  head.data_offset = static_cast<uint32_t>(start);
  bytes_.assign(start, 0);
  std::memcpy(bytes_.data(), &head, sizeof(head));
  size_t lengths = tensor.dimensions * sizeof(tensor.shape[0]);
  std::memcpy(bytes_.data() + sizeof(head), tensor.shape, lengths);
  std::memcpy(bytes_.data() + sizeof(head) + lengths, tensor.strides, lengths);
  parts_ = {{bytes_.data(), bytes_.size()}, {buffer.buf, static_cast<size_t>(buffer.len)}};
  set(SABIR_TENSOR, 0, parts_.data(), parts_.size());
  return true;
}

bool EncodedValue::encode_plain(PyObject* object, bool* suitable) {
  RefCollector refs;
  bytes_.clear();
  PlainOutput out{bytes_, buffers_, refs};
  PlainResult result = python::encode_plain(object, out);
  *suitable = result != PlainResult::kUnsuitable;
  if (result != PlainResult::kDone) {
    clear();
    simple_ = false;
    return false;
  }
  refs_ = refs.take();
  if (buffers_.empty()) {
    single_ = {bytes_.data(), bytes_.size()};
    set(SABIR_NEUTRAL, kPlain, &single_, 1);
  } else {
    lay_out({bytes_.data(), bytes_.size()});
    set(SABIR_NEUTRAL, kPlainWithBuffers, parts_.data(), parts_.size());
  }
  return true;
}

bool EncodedValue::encode_pickle(PyObject* object) {
  RefCollector refs;
  Owned pair(PyObject_CallFunctionObjArgs(state().hooks.dumps, object, nullptr));
  PyObject* pickled = nullptr;
  PyObject* pickle_buffers = nullptr;
  if (!pair || !PyArg_ParseTuple(pair.get(), "SO!", &pickled, &PyList_Type, &pickle_buffers)) {
    return false;
  }
  Py_ssize_t count = PyList_GET_SIZE(pickle_buffers);
  buffers_.reserve(static_cast<size_t>(count));
  for (Py_ssize_t i = 0; i < count; ++i) {
    Py_buffer view;
    if (PyObject_GetBuffer(PyList_GET_ITEM(pickle_buffers, i), &view, PyBUF_ANY_CONTIGUOUS) != 0) {
      return false;
    }
    buffers_.push_back(view);
  }
  lay_out({PyBytes_AS_STRING(pickled), static_cast<size_t>(PyBytes_GET_SIZE(pickled))});
  refs_ = refs.take();
  keep_alive_ = std::move(pair);
  set(SABIR_NATIVE, kPickle, parts_.data(), parts_.size());
  return true;
}

void EncodedValue::lay_out(sabir_span body) {
  BuffersHeader header{body.size, static_cast<uint32_t>(buffers_.size()), 0};
  tail_.resize(sizeof(header) + buffers_.size() * sizeof(uint64_t));
  std::memcpy(tail_.data(), &header, sizeof(header));
  for (size_t i = 0; i < buffers_.size(); ++i) {
    auto size = static_cast<uint64_t>(buffers_[i].len);
    std::memcpy(tail_.data() + sizeof(header) + i * sizeof(size), &size, sizeof(size));
  }
  parts_ = {{tail_.data(), tail_.size()}, body};
  size_t at = tail_.size() + body.size;
  for (const Py_buffer& buffer : buffers_) {
    size_t start = aligned(at);
    parts_.push_back({kZeros, start - at});
    parts_.push_back({buffer.buf, static_cast<size_t>(buffer.len)});
    at = start + static_cast<size_t>(buffer.len);
  }
}

}  // namespace sabir::python
