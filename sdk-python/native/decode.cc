#include "sdk-python/native/decode.h"

#include <cstring>

#include "sdk-python/native/buffers_layout.h"
#include "sdk-python/native/neutral.h"
#include "sdk-python/native/plain.h"
#include "sdk-python/native/plain_layout.h"
#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/store_buffer.h"
#include "sdk-python/native/table.h"
#include "sdk-python/native/tensor.h"

namespace sabir::python {
namespace {

PyObject* malformed(const char* why) { return PyErr_Format(PyExc_ValueError, "malformed value: %s", why); }

// A buffer of the value as Python sees it: a view of the store, or a copy where the bytes go away. Read-only both.
PyObject* buffer_object(const uint8_t* data, size_t size, sabir_ref* holder) {
  if (holder != nullptr) {
    return make_store_buffer(data, size, holder);
  }
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), static_cast<Py_ssize_t>(size));
}

// A body and the buffers beside it (buffers_layout.h).
struct Parts {
  const uint8_t* body = nullptr;
  size_t body_bytes = 0;
  Owned buffers;  // a list; null: an exception is set
};

// `begin`: behind a note, if there is one.
Parts split(const sabir_view& view, sabir_ref* holder, size_t begin = 0) {
  Parts parts;
  const auto* data = static_cast<const uint8_t*>(view.data);
  BuffersHeader header;
  if (begin > view.size || view.size - begin < sizeof(header)) {
    malformed("too short");
    return parts;
  }
  std::memcpy(&header, data + begin, sizeof(header));
  size_t at = begin + sizeof(header);
  if (header.buffer_count > (view.size - at) / sizeof(uint64_t)) {
    malformed("more buffers than bytes");
    return parts;
  }
  const uint8_t* sizes = data + at;
  at += header.buffer_count * sizeof(uint64_t);
  if (header.body_bytes > view.size - at) {
    malformed("the body is longer than the value");
    return parts;
  }
  parts.body = data + at;
  parts.body_bytes = header.body_bytes;
  at += header.body_bytes;
  Owned buffers(PyList_New(header.buffer_count));
  for (uint32_t i = 0; buffers && i < header.buffer_count; ++i) {
    uint64_t size = 0;
    std::memcpy(&size, sizes + i * sizeof(size), sizeof(size));
    size_t start = aligned(at);
    if (start > view.size || size > view.size - start) {
      malformed("a buffer is longer than the value");
      return parts;
    }
    PyObject* buffer = buffer_object(data + start, size, holder);
    if (buffer == nullptr) {
      return parts;
    }
    PyList_SET_ITEM(buffers.get(), i, buffer);
    at = start + size;
  }
  parts.buffers = std::move(buffers);
  return parts;
}

// The note of a native value; its size with padding, or 0 if there is none (or it is longer than the value).
size_t read_note(const sabir_view& view, sabir_string* out) {
  uint32_t size = 0;
  if ((view.variant & kNoted) == 0 || view.size < sizeof(size)) {
    return 0;
  }
  std::memcpy(&size, view.data, sizeof(size));
  if (size > view.size - sizeof(size)) {
    return 0;
  }
  *out = {static_cast<const char*>(view.data) + sizeof(size), size};
  return aligned(sizeof(size) + size);
}

PyObject* refuse_native(const sabir_view& view) {
  sabir_string note{nullptr, 0};
  read_note(view, &note);
  Owned text(to_unicode(note));
  static constexpr const char* kNames[] = {"no language", "Python", "Java", "C++", "C"};
  const char* language =
      view.language < sizeof(kNames) / sizeof(kNames[0]) ? kNames[view.language] : "a later language";
  return text ? PyErr_Format(
                    state().hooks.serialization_error, "the value is in a form that only %s reads%s%U", language,
                    note.size == 0 ? "; let it be numbers, text, lists, maps or tensors there" : ": ", text.get())
              : nullptr;
}

PyObject* decode_pickle(const sabir_view& view, sabir_ref* holder) {
  sabir_string note{nullptr, 0};
  Parts parts = split(view, holder, read_note(view, &note));
  if (!parts.buffers) {
    return nullptr;
  }
  Owned bytes(PyMemoryView_FromMemory(const_cast<char*>(reinterpret_cast<const char*>(parts.body)),
                                      static_cast<Py_ssize_t>(parts.body_bytes), PyBUF_READ));
  if (!bytes) {
    return nullptr;
  }
  RefSource refs(view.refs, view.ref_count);
  return PyObject_CallFunctionObjArgs(state().hooks.loads, bytes.get(), parts.buffers.get(), nullptr);
}

PyObject* decode_neutral_value(const sabir_view& view, sabir_ref* holder) {
  switch (view.variant) {
    case 0:
      return decode_neutral(view.data, view.size);
    case kPlain:
      return decode_plain({static_cast<const uint8_t*>(view.data), view.size, view.refs, view.ref_count, nullptr});
    case kPlainWithBuffers: {
      Parts parts = split(view, holder);
      return parts.buffers
                 ? decode_plain({parts.body, parts.body_bytes, view.refs, view.ref_count, parts.buffers.get()})
                 : nullptr;
    }
    case kTable:
      return decode_table(view, holder);
    default:
      return PyErr_Format(PyExc_ValueError, "neutral value of an unknown form (%d): written by a newer Sabir?",
                          view.variant);
  }
}

PyObject* decode_tensor(const sabir_view& view, sabir_ref* holder) {
  const auto* data = static_cast<const uint8_t*>(view.data);
  TensorHead head;
  Tensor tensor;
  if (view.size < sizeof(head)) {
    return malformed("a tensor without its header");
  }
  std::memcpy(&head, data, sizeof(head));
  tensor.type = head.type;
  tensor.dimensions = head.dimensions;
  if (head.dimensions > kTensorDimensionsMax || head.data_offset < sizeof(head) + tensor.shape_bytes() ||
      head.data_offset > view.size || head.data_bytes > view.size - head.data_offset) {
    return malformed("a tensor that is longer than its bytes");
  }
  size_t lengths = tensor.dimensions * sizeof(tensor.shape[0]);
  std::memcpy(tensor.shape, data + sizeof(head), lengths);
  std::memcpy(tensor.strides, data + sizeof(head) + lengths, lengths);
  Owned buffer(buffer_object(data + head.data_offset, head.data_bytes, holder));
  return buffer ? make_array(tensor, buffer.get()) : nullptr;
}

PyObject* raise_error_value(const sabir_view& view) {
  Owned fields(decode_neutral(view.data, view.size));
  if (!fields && !PyErr_ExceptionMatches(PyExc_ValueError)) {
    return nullptr;
  }
  if (!fields || !PyDict_Check(fields.get())) {
    PyErr_Clear();
    return raise(SABIR_INTERNAL, "a call failed, but its error value cannot be read: it is damaged");
  }
  RefSource refs(view.refs, view.ref_count);
  Owned bytes(PyBytes_FromStringAndSize(static_cast<const char*>(view.data), static_cast<Py_ssize_t>(view.size)));
  Owned exception(bytes ? PyObject_CallFunctionObjArgs(state().hooks.error_value, fields.get(), bytes.get(), nullptr)
                        : nullptr);
  if (exception) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  }
  return nullptr;
}

}  // namespace

PyObject* decode_value(const sabir_view& view, sabir_ref* holder) {
  if (view.is_error != 0) {
    return raise_error_value(view);
  }
  switch (view.encoding) {
    case SABIR_NULL:
      Py_RETURN_NONE;
    case SABIR_NEUTRAL:
      return decode_neutral_value(view, view.in_store != 0 ? holder : nullptr);
    case SABIR_TENSOR:
      return decode_tensor(view, view.in_store != 0 ? holder : nullptr);
    case SABIR_NATIVE:
      if (view.language != SABIR_LANGUAGE_PYTHON) {
        return refuse_native(view);
      }
      if ((view.variant & ~kNoted) == kPickle) {
        return decode_pickle(view, view.in_store != 0 ? holder : nullptr);
      }
      break;
    default:
      break;
  }
  return PyErr_Format(PyExc_ValueError, "value of an unknown encoding (%d, variant %d): written by a newer Sabir?",
                      view.encoding, view.variant);
}

}  // namespace sabir::python
