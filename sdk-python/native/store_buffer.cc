#include "sdk-python/native/store_buffer.h"

namespace sabir::python {
namespace {

struct StoreBuffer {
  PyObject_HEAD sabir_ref* holder;
  const void* data;
  Py_ssize_t size;
};

PyTypeObject* store_buffer_type = nullptr;

void dealloc(PyObject* self) {
  sabir_ref_release(reinterpret_cast<StoreBuffer*>(self)->holder);
  PyTypeObject* type = Py_TYPE(self);
  PyObject_Free(self);
  Py_DECREF(type);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  auto* buffer = reinterpret_cast<StoreBuffer*>(self);
  return PyBuffer_FillInfo(view, self, const_cast<void*>(buffer->data), buffer->size, /*readonly=*/1, flags);
}

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("Read-only bytes of an object in the store.")},
    {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr},
};
PyType_Spec spec = {"sabir._sabir.StoreBuffer", sizeof(StoreBuffer), 0, Py_TPFLAGS_DEFAULT, slots};

}  // namespace

PyObject* make_store_buffer(const void* data, size_t size, sabir_ref* holder) {
  StoreBuffer* buffer = PyObject_New(StoreBuffer, store_buffer_type);
  if (buffer == nullptr) {
    return nullptr;
  }
  buffer->holder = sabir_ref_retain(holder);
  buffer->data = data;
  buffer->size = static_cast<Py_ssize_t>(size);
  return reinterpret_cast<PyObject*>(buffer);
}

bool add_store_buffer_type(PyObject* module) {
  store_buffer_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (store_buffer_type == nullptr) {
    return false;
  }
  store_buffer_type->tp_new = nullptr;
  Py_INCREF(store_buffer_type);
  return PyModule_AddObject(module, "StoreBuffer", reinterpret_cast<PyObject*>(store_buffer_type)) == 0;
}

}  // namespace sabir::python
