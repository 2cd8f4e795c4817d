// The neutral encoding (FlexBuffers) at the Python side: scalars, strings and bytes are written by hand, since a call's
// argument is mostly one of them; anything is read.
#pragma once

#include <vector>

#include "sdk-python/native/state.h"

namespace sabir::python {

// Writes None, bool, int (64 bits), float, str and bytes as a FlexBuffers root into `out` (cleared first). Short ones:
// at most kNeutralInlineBytes. False: not such a value, or a long one (no error set).
inline constexpr size_t kNeutralInlineBytes = 64;
bool encode_neutral_small(PyObject* value, uint8_t (&out)[kNeutralInlineBytes], size_t* size);

// str and bytes of any length: the bytes before and after the content, which stays where it is.
bool encode_neutral_text(PyObject* value, std::vector<uint8_t>& before, sabir_span* content,
                         std::vector<uint8_t>& after);

// A new object, or null with ValueError set. Maps become dicts, vectors lists, blobs bytes.
PyObject* decode_neutral(const void* data, size_t size);

}  // namespace sabir::python
