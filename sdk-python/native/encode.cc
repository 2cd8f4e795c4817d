#include "sdk-python/native/encode.h"

#include <cstring>

#include "sdk-python/native/pickle_layout.h"

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
  return encode_container(object);
}

bool EncodedValue::encode_container(PyObject* object) {
  {
    RefCollector refs;
    bytes_.clear();
    PlainResult result = encode_plain(object, bytes_, refs);
    if (result == PlainResult::kError) {
      return false;
    }
    if (result == PlainResult::kDone) {
      refs_ = refs.take();
      single_ = {bytes_.data(), bytes_.size()};
      set(SABIR_NATIVE, kPlain, &single_, 1);
      return true;
    }
  }
  RefCollector refs;
  return encode_pickle(object, refs);
}

bool EncodedValue::encode_pickle(PyObject* object, RefCollector& refs) {
  Owned pair(PyObject_CallFunctionObjArgs(state().hooks.dumps, object, nullptr));
  PyObject* pickled = nullptr;
  PyObject* pickle_buffers = nullptr;
  if (!pair || !PyArg_ParseTuple(pair.get(), "SO!", &pickled, &PyList_Type, &pickle_buffers)) {
    return false;
  }
  PickleHeader header{};
  header.pickle_bytes = static_cast<uint64_t>(PyBytes_GET_SIZE(pickled));
  header.buffer_count = static_cast<uint32_t>(PyList_GET_SIZE(pickle_buffers));
  std::vector<uint64_t> sizes;
  buffers_.reserve(header.buffer_count);
  for (uint32_t i = 0; i < header.buffer_count; ++i) {
    Py_buffer view;
    if (PyObject_GetBuffer(PyList_GET_ITEM(pickle_buffers, i), &view, PyBUF_ANY_CONTIGUOUS) != 0) {
      return false;
    }
    buffers_.push_back(view);
    sizes.push_back(static_cast<uint64_t>(view.len));
  }
  bytes_.resize(sizeof(header) + sizes.size() * sizeof(uint64_t));
  std::memcpy(bytes_.data(), &header, sizeof(header));
  if (!sizes.empty()) {
    std::memcpy(bytes_.data() + sizeof(header), sizes.data(), sizes.size() * sizeof(uint64_t));
  }
  parts_ = {{bytes_.data(), bytes_.size()}, {PyBytes_AS_STRING(pickled), static_cast<size_t>(header.pickle_bytes)}};
  size_t at = bytes_.size() + header.pickle_bytes;
  for (const Py_buffer& buffer : buffers_) {
    size_t start = aligned(at);
    parts_.push_back({kZeros, start - at});
    parts_.push_back({buffer.buf, static_cast<size_t>(buffer.len)});
    at = start + static_cast<size_t>(buffer.len);
  }
  refs_ = refs.take();
  keep_alive_ = std::move(pair);
  set(SABIR_NATIVE, kPickle, parts_.data(), parts_.size());
  return true;
}

}  // namespace sabir::python
