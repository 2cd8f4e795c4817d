// A Python call's arguments as sabir_args: references pass as references, everything else is encoded.
#pragma once

#include <memory>

#include "sdk-python/native/encode.h"

namespace sabir::python {

class Arguments {
 public:
  explicit Arguments(sabir_language callee) : for_others_(callee != SABIR_LANGUAGE_PYTHON) {}
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;

  // As in vectorcall: `count` positional ones, then one per name of the tuple `names` (or null). `captured` (or null)
  // is what the function brings with every call (captured.h). False with an exception set.
  bool encode(PyObject* const* values, size_t count, PyObject* names, PyObject* captured);
  // As in a plain call: a tuple and a dict (or null).
  bool encode(PyObject* args, PyObject* kwargs);

  const sabir_arg* data() const { return args_; }
  size_t size() const { return size_; }
  size_t size_bytes() const { return size_bytes_; }

 private:
  static constexpr size_t kInlineArgs = 4;

  void reserve(size_t count);
  bool add(PyObject* value, PyObject* name);

  bool for_others_;
  sabir_arg inline_args_[kInlineArgs];
  EncodedValue inline_values_[kInlineArgs];
  std::unique_ptr<sabir_arg[]> more_args_;
  std::unique_ptr<EncodedValue[]> more_values_;
  sabir_arg* args_ = inline_args_;
  EncodedValue* values_ = inline_values_;
  size_t size_ = 0;
  size_t size_bytes_ = 0;
};

// What remote() returns: None for no reference, the reference for one, a list for more. Takes the references over.
PyObject* wrap_returns(sabir_ref** refs, size_t count);

}  // namespace sabir::python
