// The "plain" encoding: None, bool, int, float, str, bytes, ObjectRef and list, tuple, dict of them, without pickle
// (which costs about 1 us each way). Read by Python only: variant kPlain of the native encoding. Tag bytes, then
// little-endian numbers; docs/values.md has the table.
//
// Sharing: a container that two places of the value could share (reference count above one) is left to pickle, which
// keeps identity. So are deep values, subclasses, and integers beyond 64 bits.
#pragma once

#include <vector>

#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/state.h"

namespace sabir::python {

inline constexpr uint8_t kPlain = 1;  // variants of (SABIR_NATIVE, SABIR_LANGUAGE_PYTHON)
inline constexpr uint8_t kPickle = 2;

enum class PlainResult { kDone, kUnsuitable, kError };

// Appends the value's bytes to `out`. kUnsuitable leaves rubbish behind: clear it and use pickle.
PlainResult encode_plain(PyObject* value, std::vector<uint8_t>& out, RefCollector& refs);

// A new object, or null with an error set when the bytes are not a plain value.
PyObject* decode_plain(const uint8_t* data, size_t size, sabir_ref* const* refs, size_t ref_count);

}  // namespace sabir::python
