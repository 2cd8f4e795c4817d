// The "plain" form of neutral values: what every language has, in a stream of tags (docs/values.md has the table). It
// keeps the order of dicts, tuples, keys of any kind, references and arrays, none of which FlexBuffers can, and costs a
// fraction of pickle (about 1 us each way).
#pragma once

#include <vector>

#include "sdk-python/native/encoded.h"
#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/state.h"

namespace sabir::python {

// What a value becomes: the stream, and the arrays' buffers that go beside it (the owner of this releases them).
struct PlainOutput {
  std::vector<uint8_t>& bytes;
  std::vector<Py_buffer>& buffers;
  RefCollector& refs;
};

// Appends the value. kUnsuitable: something in it only Python knows (or two of its places share a container, whose
// identity pickle keeps); it leaves rubbish behind: clear everything and use pickle.
Encoded encode_plain(PyObject* value, PlainOutput& out);

// What a plain value is read from.
struct PlainInput {
  const uint8_t* data;
  size_t size;
  sabir_ref* const* refs;
  size_t ref_count;
  PyObject* buffers;  // a list, or null
};
// A new object, or null with an error set when the bytes are not a plain value.
PyObject* decode_plain(const PlainInput& input);

}  // namespace sabir::python
