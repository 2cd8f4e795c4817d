#include "sdk-python/native/encode.h"

#include <cstring>

#include "sdk-python/native/buffers_layout.h"
#include "sdk-python/native/plain_layout.h"
#include "sdk-python/native/table.h"
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
  converted_ = Owned();
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

// What all languages read.
Encoded EncodedValue::encode_common(PyObject* object) {
  clear();
  if (object == Py_None) {
    set(SABIR_NULL, 0, nullptr, 0);
    return Encoded::kDone;
  }
  size_t size = 0;
  if (encode_neutral_small(object, inline_, &size)) {
    single_ = {inline_, size};
    set(SABIR_NEUTRAL, 0, &single_, 1);
    return Encoded::kDone;
  }
  simple_ = false;
  sabir_span content{};
  if (encode_neutral_text(object, bytes_, &content, tail_)) {
    Py_INCREF(object);
    keep_alive_ = Owned(object);  // the content stays inside it
    parts_ = {{bytes_.data(), bytes_.size()}, content, {tail_.data(), tail_.size()}};
    set(SABIR_NEUTRAL, 0, parts_.data(), parts_.size());
    return Encoded::kDone;
  }
  return is_array(object) ? encode_tensor(object) : encode_plain(object);
}

Encoded EncodedValue::encode_neutral(PyObject* object) {
  Encoded result = encode_common(object);
  return result == Encoded::kUnsuitable ? encode_table(object) : result;
}

bool EncodedValue::encode(PyObject* object) {
  Encoded result = encode_neutral(object);
  return result == Encoded::kUnsuitable ? encode_pickle(object, {}) : result == Encoded::kDone;
}

bool EncodedValue::encode_to_put(PyObject* object) {
  Encoded result = encode_neutral(object);
  if (result != Encoded::kUnsuitable) {
    return result == Encoded::kDone;
  }
  std::string note = std::string("what was put is a ") + Py_TYPE(object)->tp_name +
                     ", and it or something in it has no form that other languages know; put numbers, text, lists, "
                     "maps, tensors or references instead, or register a converter for its class";
  return encode_pickle(object, note);
}

bool EncodedValue::encode_for_others(PyObject* object, Py_ssize_t index, PyObject* name) {
  Encoded result = encode_common(object);
  if (result != Encoded::kUnsuitable) {
    return result == Encoded::kDone;
  }
  Owned place(name != nullptr ? PyUnicode_FromFormat("argument %R", name)
              : index < 0     ? PyUnicode_FromString("the result")
                              : PyUnicode_FromFormat("argument %zd", index + 1));
  converted_ =
      Owned(place ? PyObject_CallFunctionObjArgs(state().hooks.neutral, object, place.get(), nullptr) : nullptr);
  if (!converted_) {
    return false;
  }
  Owned kept(converted_.release());  // encode_common() clears
  result = encode_neutral(kept.get());
  simple_ = false;
  converted_ = std::move(kept);
  if (result == Encoded::kUnsuitable) {
    PyErr_Format(PyExc_TypeError, "%U cannot be sent to another language: it changed while it was read", place.get());
  }
  return result == Encoded::kDone;
}

bool EncodedValue::encode_result_for_others(PyObject* object) {
  if (encode_for_others(object, -1, nullptr)) {
    return true;
  }
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) {  // SerializationError is one
    return false;
  }
  Raised refusal = Raised::take();
  Owned text(refusal.value ? PyObject_Str(refusal.value.get()) : nullptr);
  sabir_string note{};
  if (!text || !utf8_of(text.get(), "note", &note)) {
    return false;
  }
  clear();
  simple_ = false;
  return encode_pickle(object, {note.data, note.size});
}

Encoded EncodedValue::encode_tensor(PyObject* array) {
  Tensor tensor;
  Py_buffer buffer;
  if (Encoded opened = open_array(array, &tensor, &buffer); opened != Encoded::kDone) {
    return opened;
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
  return Encoded::kDone;
}

Encoded EncodedValue::encode_plain(PyObject* object) {
  RefCollector refs;
  bytes_.clear();
  PlainOutput out{bytes_, buffers_, refs};
  Encoded result = python::encode_plain(object, out);
  if (result != Encoded::kDone) {
    clear();
    simple_ = false;
    return result;
  }
  refs_ = refs.take();
  if (buffers_.empty()) {
    single_ = {bytes_.data(), bytes_.size()};
    set(SABIR_NEUTRAL, kPlain, &single_, 1);
  } else {
    lay_out({bytes_.data(), bytes_.size()}, {});
    set(SABIR_NEUTRAL, kPlainWithBuffers, parts_.data(), parts_.size());
  }
  return Encoded::kDone;
}

Encoded EncodedValue::encode_table(PyObject* object) {
  Owned table = as_table(object);
  if (!table) {
    return Encoded::kUnsuitable;
  }
  simple_ = false;
  sabir_error* error = nullptr;
  sabir_value value{};
  if (sabir_table_value(table_of(table.get()), &value, &error) != SABIR_OK) {
    raise(error);
    return Encoded::kError;
  }
  keep_alive_ = std::move(table);
  set(value.encoding, value.variant, value.parts, value.part_count);
  return Encoded::kDone;
}

bool EncodedValue::encode_pickle(PyObject* object, std::string_view note) {
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
  lay_out({PyBytes_AS_STRING(pickled), static_cast<size_t>(PyBytes_GET_SIZE(pickled))}, note);
  refs_ = refs.take();
  keep_alive_ = std::move(pair);
  set(SABIR_NATIVE, note.empty() ? kPickle : kPickle | kNoted, parts_.data(), parts_.size());
  return true;
}

void EncodedValue::lay_out(sabir_span body, std::string_view note) {
  BuffersHeader header{body.size, static_cast<uint32_t>(buffers_.size()), 0};
  tail_.clear();
  auto append = [&](const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    tail_.insert(tail_.end(), bytes, bytes + size);
  };
  if (!note.empty()) {
    auto note_bytes = static_cast<uint32_t>(note.size());
    append(&note_bytes, sizeof(note_bytes));
    append(note.data(), note.size());
    tail_.resize(aligned(tail_.size()));
  }
  append(&header, sizeof(header));
  for (const Py_buffer& buffer : buffers_) {
    auto size = static_cast<uint64_t>(buffer.len);
    append(&size, sizeof(size));
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
