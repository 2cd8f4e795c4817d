#include "sdk-python/native/decode.h"

#include <cstring>

#include "sdk-python/native/neutral.h"
#include "sdk-python/native/pickle_layout.h"
#include "sdk-python/native/plain.h"
#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/store_buffer.h"

namespace sabir::python {
namespace {

PyObject* malformed(const char* why) { return PyErr_Format(PyExc_ValueError, "malformed pickled value: %s", why); }

// A buffer of the value as Python sees it: a view of the store, or a copy where the bytes go away. Read-only both.
PyObject* buffer_object(const uint8_t* data, size_t size, sabir_ref* holder) {
  if (holder != nullptr) {
    return make_store_buffer(data, size, holder);
  }
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(data), static_cast<Py_ssize_t>(size));
}

PyObject* decode_pickle(const sabir_view& view, sabir_ref* holder) {
  const auto* data = static_cast<const uint8_t*>(view.data);
  PickleHeader header;
  if (view.size < sizeof(header)) {
    return malformed("too short");
  }
  std::memcpy(&header, data, sizeof(header));
  size_t room = view.size - sizeof(header);
  if (header.buffer_count > room / sizeof(uint64_t)) {
    return malformed("more buffers than bytes");
  }
  size_t at = sizeof(header) + header.buffer_count * sizeof(uint64_t);
  if (header.pickle_bytes > view.size - at) {
    return malformed("the pickle is longer than the value");
  }
  const uint8_t* pickled = data + at;
  at += header.pickle_bytes;
  Owned buffers(PyList_New(header.buffer_count));
  for (uint32_t i = 0; buffers && i < header.buffer_count; ++i) {
    uint64_t size = 0;
    std::memcpy(&size, data + sizeof(header) + i * sizeof(size), sizeof(size));
    size_t start = aligned(at);
    if (start > view.size || size > view.size - start) {
      return malformed("a buffer is longer than the value");
    }
    PyObject* buffer = buffer_object(data + start, size, holder);
    if (buffer == nullptr) {
      return nullptr;
    }
    PyList_SET_ITEM(buffers.get(), i, buffer);
    at = start + size;
  }
  Owned bytes(PyMemoryView_FromMemory(const_cast<char*>(reinterpret_cast<const char*>(pickled)),
                                      static_cast<Py_ssize_t>(header.pickle_bytes), PyBUF_READ));
  if (!buffers || !bytes) {
    return nullptr;
  }
  RefSource refs(view.refs, view.ref_count);
  return PyObject_CallFunctionObjArgs(state().hooks.loads, bytes.get(), buffers.get(), nullptr);
}

PyObject* raise_error_value(const sabir_view& view) {
  Owned fields(decode_error_fields(view));
  if (!fields) {
    return nullptr;
  }
  RefSource refs(view.refs, view.ref_count);
  Owned exception(PyObject_CallFunctionObjArgs(state().hooks.error_value, fields.get(), nullptr));
  if (exception) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception.get())), exception.get());
  }
  return nullptr;
}

}  // namespace

PyObject* decode_error_fields(const sabir_view& view) {
  Owned fields(decode_neutral(view.data, view.size));
  if (fields && !PyDict_Check(fields.get())) {
    return malformed("an error value that is no map");
  }
  return fields.release();
}

PyObject* decode_value(const sabir_view& view, sabir_ref* holder) {
  if (view.is_error != 0) {
    return raise_error_value(view);
  }
  switch (view.encoding) {
    case SABIR_NULL:
      Py_RETURN_NONE;
    case SABIR_NEUTRAL:
      return decode_neutral(view.data, view.size);
    case SABIR_NATIVE:
      if (view.language != SABIR_LANGUAGE_PYTHON) {
        return PyErr_Format(PyExc_TypeError,
                            "the value was written in another language's own form (language %d); send it as numbers, "
                            "text, lists and maps to read it from Python",
                            view.language);
      }
      if (view.variant == kPlain) {
        return decode_plain(static_cast<const uint8_t*>(view.data), view.size, view.refs, view.ref_count);
      }
      if (view.variant == kPickle) {
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
