// From a Python object to a sabir_value: neutral for what every language has (scalars and text as FlexBuffers,
// containers in the plain form), a tensor for an array, otherwise pickle protocol 5. Large buffers stay where they are
// (docs/values.md).
#pragma once

#include <string_view>
#include <vector>

#include "sdk-python/native/neutral.h"
#include "sdk-python/native/plain.h"
#include "sdk-python/native/ref_context.h"

namespace sabir::python {

// Holds what a sabir_value points to. Reusable; not movable, since the value points into it.
class EncodedValue {
 public:
  EncodedValue() = default;
  ~EncodedValue() { clear(); }
  EncodedValue(const EncodedValue&) = delete;
  EncodedValue& operator=(const EncodedValue&) = delete;

  // For readers in Python. False: a Python exception is set.
  bool encode(PyObject* object);
  // The same, with a note for readers in other languages, who may get a reference to it.
  bool encode_to_put(PyObject* object);
  // For readers in other languages: what only Python knows is converted (sabir/_neutral.py), or refused with a
  // SerializationError that says where it lies: in the argument of this name (or null) or index.
  bool encode_for_others(PyObject* object, Py_ssize_t index, PyObject* name);
  // A result for a caller in another language, who may only pass it on to Python: what cannot be converted is pickled,
  // with a note for readers that cannot read it.
  bool encode_result_for_others(PyObject* object);
  const sabir_value& value() const { return value_; }
  // Of all parts together.
  size_t size_bytes() const { return size_bytes_; }
  void clear();

 private:
  // Forms that all languages know: encode_common(), and tables.
  Encoded encode_neutral(PyObject* object);
  Encoded encode_common(PyObject* object);
  Encoded encode_tensor(PyObject* array);
  Encoded encode_plain(PyObject* object);
  // What is sent as a table; looked at when nothing else fits.
  Encoded encode_table(PyObject* object);
  // `note`: empty, or what readers in other languages are to be told.
  bool encode_pickle(PyObject* object, std::string_view note);
  // parts_: a header with the sizes of buffers_, the body, the buffers, each aligned.
  void lay_out(sabir_span body, std::string_view note);
  void set(sabir_encoding encoding, uint8_t variant, const sabir_span* parts, size_t count);

  sabir_value value_{};
  size_t size_bytes_ = 0;
  sabir_span single_{};
  uint8_t inline_[kNeutralInlineBytes];
  bool simple_ = true;  // nothing below is used
  std::vector<uint8_t> bytes_;
  std::vector<uint8_t> tail_;  // of a text; or the header before a body
  std::vector<sabir_span> parts_;
  std::vector<sabir_ref*> refs_;
  std::vector<Py_buffer> buffers_;
  Owned keep_alive_;
  Owned converted_;  // what was encoded instead of the object
};

}  // namespace sabir::python
