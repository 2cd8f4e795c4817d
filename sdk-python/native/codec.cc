#include "sdk-python/native/codec.h"

#include "sdk-python/native/decode.h"
#include "sdk-python/native/encode.h"

namespace sabir::python {

PyObject* encode_bytes(PyObject*, PyObject* value) {
  EncodedValue encoded;
  if (!encoded.encode(value)) {
    return nullptr;
  }
  std::string bytes;
  const sabir_value& parts = encoded.value();
  for (uint32_t i = 0; i < parts.part_count; ++i) {
    bytes.append(static_cast<const char*>(parts.parts[i].data), parts.parts[i].size);
  }
  return Py_BuildValue("(BBBy#)", parts.encoding, parts.language, parts.variant, bytes.data(),
                       static_cast<Py_ssize_t>(bytes.size()));
}

PyObject* decode_bytes(PyObject*, PyObject* args) {
  sabir_view view{};
  Py_buffer bytes;
  int is_error = 0;
  if (!PyArg_ParseTuple(args, "BBBy*|p", &view.encoding, &view.language, &view.variant, &bytes, &is_error)) {
    return nullptr;
  }
  view.is_error = is_error != 0;
  view.data = bytes.buf;
  view.size = static_cast<size_t>(bytes.len);
  PyObject* value = decode_value(view, nullptr);
  PyBuffer_Release(&bytes);
  return value;
}

}  // namespace sabir::python
