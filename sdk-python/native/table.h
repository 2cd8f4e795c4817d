// sabir.Table, and what is sent as one: objects that hand out the structs of the Arrow C data interface in PyCapsules.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// What a table was in Python, written beside it so that it comes back as the same (docs/values.md).
enum TableOrigin : uint32_t { kAnyTable = 0, kPyarrowTable = 1, kPyarrowBatch = 2 };

// The table that this object is sent as without being asked: a sabir.Table or exactly a pyarrow.Table or RecordBatch. A
// new object; null without an exception if it is none of them, or one that would not come back as it is. Costs no more
// than a look at the type's name for anything else.
Owned as_table(PyObject* object);
// Of a sabir.Table; borrowed.
sabir_table* table_of(PyObject* table);
// A value that was received.
PyObject* decode_table(const sabir_view& view, sabir_ref* holder);

PyObject* to_table(PyObject* module, PyObject* object);
bool add_table_type(PyObject* module);

}  // namespace sabir::python
