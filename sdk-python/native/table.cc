#include "sdk-python/native/table.h"

#include <cstring>

#include "runtime/abi/sabir_arrow.h"
#include "sdk-python/native/client_call.h"

namespace sabir::python {
namespace {

constexpr char kStreamName[] = "arrow_array_stream";
constexpr char kSchemaName[] = "arrow_schema";
constexpr char kArrayName[] = "arrow_array";

struct Table {
  PyObject_HEAD sabir_table* table;
};

PyTypeObject* table_type = nullptr;

// Takes over the table; null: an exception is set.
PyObject* make_table(PyTypeObject* type, sabir_table* table) {
  if (table == nullptr) {
    return nullptr;
  }
  Table* made = PyObject_New(Table, type);
  if (made == nullptr) {
    sabir_table_destroy(table);
    return nullptr;
  }
  made->table = table;
  return reinterpret_cast<PyObject*>(made);
}

sabir_table* read_stream(PyObject* object, uint32_t origin) {
  Owned capsule(PyObject_CallMethod(object, "__arrow_c_stream__", nullptr));
  auto* stream = static_cast<ArrowArrayStream*>(capsule ? PyCapsule_GetPointer(capsule.get(), kStreamName) : nullptr);
  sabir_table* table = nullptr;
  // Without the GIL: the producer's threads may need it while this one waits for them.
  return stream != nullptr && call_unlocked([&](sabir_error** error) {
           return sabir_table_from_stream(stream, origin, &table, error);
         })
             ? table
             : nullptr;
}

sabir_table* read_array(PyObject* object, uint32_t origin) {
  Owned pair(PyObject_CallMethod(object, "__arrow_c_array__", nullptr));
  PyObject* schema_capsule = nullptr;
  PyObject* array_capsule = nullptr;
  if (!pair || !PyArg_ParseTuple(pair.get(), "OO", &schema_capsule, &array_capsule)) {
    return nullptr;
  }
  auto* schema = static_cast<ArrowSchema*>(PyCapsule_GetPointer(schema_capsule, kSchemaName));
  auto* array = static_cast<ArrowArray*>(schema == nullptr ? nullptr : PyCapsule_GetPointer(array_capsule, kArrayName));
  sabir_table* table = nullptr;
  return array != nullptr && call_unlocked([&](sabir_error** error) {
           return sabir_table_from_array(schema, array, origin, &table, error);
         })
             ? table
             : nullptr;
}

// Static types of C have their module in tp_name; a class of Python never has.
TableOrigin origin_of(PyObject* object) {
  const char* name = Py_TYPE(object)->tp_name;
  return std::strcmp(name, "pyarrow.lib.Table") == 0         ? kPyarrowTable
         : std::strcmp(name, "pyarrow.lib.RecordBatch") == 0 ? kPyarrowBatch
                                                             : kAnyTable;
}

// A batch as an array: as a stream pyarrow leaves out one without rows.
sabir_table* read_any(PyObject* object, TableOrigin origin) {
  if (origin != kPyarrowBatch && PyObject_HasAttrString(object, "__arrow_c_stream__") != 0) {
    return read_stream(object, origin);
  }
  if (PyObject_HasAttrString(object, "__arrow_c_array__") != 0) {
    return read_array(object, origin);
  }
  PyErr_Format(PyExc_TypeError,
               "a table is made of an object that has __arrow_c_stream__ or __arrow_c_array__ (a pyarrow.Table, a "
               "DataFrame of polars or pandas), not of %.100s",
               Py_TYPE(object)->tp_name);
  return nullptr;
}

sabir_table_info info_of(PyObject* self) {
  sabir_table_info info = SABIR_TABLE_INFO_INIT;
  sabir_table_get_info(table_of(self), &info, nullptr);
  return info;
}

PyObject* create(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"data", nullptr};
  PyObject* data = nullptr;
  if (PyArg_ParseTupleAndKeywords(args, kwargs, "O:Table", const_cast<char**>(names), &data) == 0) {
    return nullptr;
  }
  return make_table(type, read_any(data, kAnyTable));
}

void dealloc(PyObject* self) {
  sabir_table_destroy(table_of(self));
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

void end_stream(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kStreamName));
  if (stream->release != nullptr) {  // nobody has taken it
    stream->release(stream);
  }
  delete stream;
}

PyObject* arrow_c_stream(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"requested_schema", nullptr};
  PyObject* requested = nullptr;  // a wish: who asks has to look at what came
  if (PyArg_ParseTupleAndKeywords(args, kwargs, "|O", const_cast<char**>(names), &requested) == 0) {
    return nullptr;
  }
  auto* stream = new ArrowArrayStream();
  sabir_table_stream(table_of(self), stream);
  PyObject* capsule = PyCapsule_New(stream, kStreamName, end_stream);
  if (capsule == nullptr) {
    stream->release(stream);
    delete stream;
  }
  return capsule;
}

// Inside other values: as bytes, read again by the codec.
PyObject* reduce(PyObject* self, PyObject*) {
  Owned module(PyImport_ImportModule("sabir._sabir"));
  Owned encoded(module ? PyObject_CallMethod(module.get(), "_encode", "O", self) : nullptr);
  Owned decode(encoded ? PyObject_GetAttrString(module.get(), "_decode") : nullptr);
  return decode ? Py_BuildValue("(OO)", decode.get(), encoded.get()) : nullptr;
}

PyObject* num_rows(PyObject* self, void*) { return PyLong_FromLongLong(info_of(self).row_count); }
PyObject* num_columns(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(info_of(self).column_count); }
PyObject* num_batches(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(info_of(self).batch_count); }

PyObject* repr(PyObject* self) {
  sabir_table_info info = info_of(self);
  return PyUnicode_FromFormat("<sabir.Table of %lld rows, %llu columns>", static_cast<long long>(info.row_count),
                              static_cast<unsigned long long>(info.column_count));
}

PyMethodDef methods[] = {
    {"__arrow_c_stream__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(arrow_c_stream)),
     METH_VARARGS | METH_KEYWORDS, "The table as a new Arrow stream in a PyCapsule."},
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyGetSetDef properties[] = {
    {"num_rows", num_rows, nullptr, "Rows of all batches.", nullptr},
    {"num_columns", num_columns, nullptr, "Columns.", nullptr},
    {"num_batches", num_batches, nullptr, "Batches of rows.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};
constexpr char kDoc[] =
    "Table(data)\n--\n\n"
    "Columns of data, which every language reads, in the layouts of Apache Arrow.\n\n"
    "``data`` is any object that has ``__arrow_c_stream__`` or ``__arrow_c_array__``: a table of pyarrow, a DataFrame\n"
    "of polars or pandas. Its buffers are used where they lie. A table has ``__arrow_c_stream__`` itself, by which\n"
    "those libraries read it without a copy: ``pyarrow.table(t)``, ``polars.DataFrame(t)``.";

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(kDoc)},
    {Py_tp_new, reinterpret_cast<void*>(create)},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, nullptr},
};
PyType_Spec spec = {"sabir.Table", sizeof(Table), 0, Py_TPFLAGS_DEFAULT, slots};

}  // namespace

sabir_table* table_of(PyObject* table) { return reinterpret_cast<Table*>(table)->table; }

Owned as_table(PyObject* object) {
  if (Py_TYPE(object) == table_type) {
    Py_INCREF(object);
    return Owned(object);
  }
  TableOrigin origin = origin_of(object);
  if (origin == kAnyTable) {
    return Owned();
  }
  Owned table(make_table(table_type, read_any(object, origin)));
  // Formats that are not known here yet, a pyarrow without capsules, and types that only its own pickle brings back.
  if (!table || info_of(table.get()).has_extensions != 0) {
    PyErr_Clear();
    return Owned();
  }
  return table;
}

PyObject* decode_table(const sabir_view& view, sabir_ref* holder) {
  sabir_table* table = nullptr;
  sabir_error* error = nullptr;
  auto read = [&](sabir_error** out) { return sabir_table_from_view(&view, holder, &table, out); };
  if (view.size >= kUnlockedCopyBytes) {
    if (!call_unlocked(read)) {
      return nullptr;
    }
  } else if (read(&error) != SABIR_OK) {
    return raise(error);
  }
  Owned made(make_table(table_type, table));
  if (!made) {
    return nullptr;
  }
  uint32_t origin = info_of(made.get()).origin;
  return origin == kAnyTable
             ? made.release()
             : PyObject_CallFunction(state().hooks.table, "OI", made.get(), static_cast<unsigned int>(origin));
}

PyObject* to_table(PyObject*, PyObject* object) {
  if (Py_TYPE(object) == table_type) {
    Py_INCREF(object);
    return object;
  }
  return make_table(table_type, read_any(object, origin_of(object)));
}

bool add_table_type(PyObject* module) {
  table_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (table_type == nullptr) {
    return false;
  }
  Py_INCREF(table_type);
  return PyModule_AddObject(module, "Table", reinterpret_cast<PyObject*>(table_type)) == 0;
}

}  // namespace sabir::python
