// Bytes of values without a runtime: for test vectors and for feeding damaged bytes to the decoder.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir._encode(value) -> (encoding, language, variant, bytes). References inside are left out of the bytes.
PyObject* encode_bytes(PyObject* module, PyObject* value);
// _sabir._decode(encoding, language, variant, bytes, is_error=False) -> value; raises what an error value stands for
PyObject* decode_bytes(PyObject* module, PyObject* args);

}  // namespace sabir::python
