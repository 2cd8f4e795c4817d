#include "sdk-python/native/object_ref.h"

#include <cstring>

#include "sdk-python/native/ref_context.h"

namespace sabir::python {

PyTypeObject* object_ref_type = nullptr;

namespace {

// Refs are made and dropped once per call: a short list of freed shells saves the allocator's work (3 % of a call).
constexpr int kFreeListLimit = 256;
ObjectRef* free_list[kFreeListLimit];
int free_count = 0;

void dealloc(PyObject* self) {
  auto* object = reinterpret_cast<ObjectRef*>(self);
  sabir_ref_release(object->ref);
  object->ref = nullptr;
  if (free_count < kFreeListLimit) {
    free_list[free_count++] = object;
    return;
  }
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* binary(PyObject* self, PyObject*) {
  uint8_t id[16];
  sabir_ref_id(ref_of(self), id);
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(id), sizeof(id));
}

PyObject* hex(PyObject* self, PyObject*) { return hex_of(ref_of(self)); }

PyObject* repr(PyObject* self) {
  Owned text(hex(self, nullptr));
  return text ? PyUnicode_FromFormat("ObjectRef(%U)", text.get()) : nullptr;
}

Py_hash_t hash(PyObject* self) {
  uint8_t id[16];
  sabir_ref_id(ref_of(self), id);
  uint64_t low = 0;
  uint64_t high = 0;
  std::memcpy(&low, id, 8);
  std::memcpy(&high, id + 8, 8);
  auto value = static_cast<Py_hash_t>((low ^ (high * 0x9e3779b97f4a7c15ull)));
  return value == -1 ? -2 : value;
}

PyObject* compare(PyObject* a, PyObject* b, int operation) {
  if (!is_object_ref(a) || !is_object_ref(b) || (operation != Py_EQ && operation != Py_NE)) {
    Py_RETURN_NOTIMPLEMENTED;
  }
  uint8_t id_a[16];
  uint8_t id_b[16];
  sabir_ref_id(ref_of(a), id_a);
  sabir_ref_id(ref_of(b), id_b);
  bool equal = std::memcmp(id_a, id_b, 16) == 0;
  return PyBool_FromLong(equal == (operation == Py_EQ));
}

// Inside a value that Sabir serialises a reference is an index into the value's references. Anywhere else pickling one
// is refused: nothing would keep the object alive.
PyObject* reduce(PyObject* self, PyObject*) {
  Py_ssize_t index = collect_ref(ref_of(self));
  if (index < 0) {
    return nullptr;
  }
  return Py_BuildValue("O(n)", ref_loader(), index);
}

// References do not change: a copy is the same one, also inside a deep copy of what holds it.
PyObject* copy(PyObject* self, PyObject*) {
  Py_INCREF(self);
  return self;
}

PyObject* is_ready(PyObject* self, PyObject*) { return PyBool_FromLong(sabir_ref_ready(ref_of(self))); }

PyMethodDef methods[] = {
    {"hex", hex, METH_NOARGS, "The reference's id as 32 hexadecimal digits."},
    {"binary", binary, METH_NOARGS, "The reference's id as 16 bytes."},
    {"_ready", is_ready, METH_NOARGS, "True once it has a value or an error. Never waits."},
    {"__reduce__", reduce, METH_NOARGS, nullptr},
    {"__copy__", copy, METH_NOARGS, nullptr},
    {"__deepcopy__", copy, METH_O, nullptr},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "ObjectRef[int], for annotations."},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc,
     const_cast<char*>("A reference to a value that exists or is being computed, anywhere in the session.\n\n"
                       "Hashable, awaitable; equal in every process. The value lives while references do.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(repr)},
    {Py_tp_hash, reinterpret_cast<void*>(hash)},
    {Py_tp_richcompare, reinterpret_cast<void*>(compare)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

PyType_Spec spec = {"sabir._sabir.ObjectRef", sizeof(ObjectRef), 0, Py_TPFLAGS_DEFAULT, slots};

}  // namespace

PyObject* hex_of(const sabir_ref* ref) {
  static constexpr char kDigits[] = "0123456789abcdef";
  uint8_t id[16];
  sabir_ref_id(ref, id);
  char text[32];
  for (int i = 0; i < 16; ++i) {
    text[2 * i] = kDigits[id[i] >> 4];
    text[2 * i + 1] = kDigits[id[i] & 15];
  }
  return PyUnicode_FromStringAndSize(text, sizeof(text));
}

PyObject* wrap_ref(sabir_ref* ref) {
  ObjectRef* object = nullptr;
  if (free_count > 0) {
    object = free_list[--free_count];
    // The shell kept its reference to the type; only the object's own count starts again.
    _Py_NewReference(reinterpret_cast<PyObject*>(object));
  } else {
    object = PyObject_New(ObjectRef, object_ref_type);
    if (object == nullptr) {
      sabir_ref_release(ref);
      return nullptr;
    }
  }
  object->ref = ref;
  return reinterpret_cast<PyObject*>(object);
}

bool add_object_ref_type(PyObject* module) {
  object_ref_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (object_ref_type == nullptr) {
    return false;
  }
  object_ref_type->tp_new = nullptr;  // made by the runtime only
  Py_INCREF(object_ref_type);
  return PyModule_AddObject(module, "ObjectRef", reinterpret_cast<PyObject*>(object_ref_type)) == 0;
}

}  // namespace sabir::python
