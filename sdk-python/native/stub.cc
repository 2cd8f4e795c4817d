#include "sdk-python/native/stub.h"

#include <structmember.h>

#include <cstddef>
#include <vector>

#include "sdk-python/native/actor.h"
#include "sdk-python/native/arguments.h"
#include "sdk-python/native/function.h"

namespace sabir::python {
namespace {

struct Stub {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* prepare;
  PyObject* check;
  PyObject* prepared;  // a Task or a Function of the epoch
  PyObject* captured;  // the references in a task's function, or null
  PyObject* actor;     // null for a task
  uint64_t epoch;
  Py_ssize_t minimum;
  Py_ssize_t maximum;
  uint32_t num_returns;
};

PyTypeObject* task_stub_type = nullptr;
PyTypeObject* method_stub_type = nullptr;

// The number of arguments is checked where the call is made, as for a local call.
bool check_arguments(Stub* self, PyObject* const* values, Py_ssize_t count, PyObject* names) {
  if (names == nullptr && count >= self->minimum && (self->maximum < 0 || count <= self->maximum)) {
    return true;
  }
  Owned args(PyTuple_New(count));
  Owned kwargs(PyDict_New());
  if (!args || !kwargs) {
    return false;
  }
  for (Py_ssize_t i = 0; i < count; ++i) {
    Py_INCREF(values[i]);
    PyTuple_SET_ITEM(args.get(), i, values[i]);
  }
  Py_ssize_t named = names == nullptr ? 0 : PyTuple_GET_SIZE(names);
  for (Py_ssize_t i = 0; i < named; ++i) {
    if (PyDict_SetItem(kwargs.get(), PyTuple_GET_ITEM(names, i), values[count + i]) != 0) {
      return false;
    }
  }
  Owned done(PyObject_CallFunctionObjArgs(self->check, args.get(), kwargs.get(), nullptr));
  return static_cast<bool>(done);
}

bool prepare(Stub* self) {
  if (self->prepared != nullptr && self->epoch == state().epoch) {
    return true;
  }
  // A handle belongs to one session; a function starts one if there is none.
  if (self->actor != nullptr && require_client() == nullptr) {
    return false;
  }
  Owned made(PyObject_CallNoArgs(self->prepare));
  if (!made) {
    return false;
  }
  PyObject* prepared = made.get();
  PyObject* captured = nullptr;
  if (PyTuple_Check(prepared) && !PyArg_ParseTuple(prepared, "OO!", &prepared, &PyList_Type, &captured)) {
    return false;
  }
  if (self->actor == nullptr && !is_task(prepared)) {
    PyErr_SetString(PyExc_TypeError, "prepare() must give a Task");
    return false;
  }
  Py_INCREF(prepared);
  Py_XINCREF(captured);
  Py_XSETREF(self->prepared, prepared);
  Py_XSETREF(self->captured, captured);
  self->epoch = state().epoch;
  return true;
}

// Without the GIL if it may take long; `operation` returns a status.
template <typename Operation>
sabir_status run(size_t size_bytes, Operation operation) {
  if (size_bytes < kUnlockedCopyBytes) {
    return operation();
  }
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status = operation();
  }
  return status;
}

PyObject* submit(Stub* self, const Arguments& arguments) {
  uint32_t num_returns = self->actor != nullptr ? self->num_returns : task_num_returns(self->prepared);
  sabir_ref* one = nullptr;
  std::vector<sabir_ref*> many;
  sabir_ref** refs = &one;
  if (num_returns > 1) {
    many.resize(num_returns);
    refs = many.data();
  }
  // Another thread may prepare this stub anew, for the next session, while the GIL is released.
  Py_INCREF(self->prepared);
  Owned prepared(self->prepared);
  sabir_error* error = nullptr;
  sabir_status status = run(arguments.size_bytes(), [&] {
    if (self->actor != nullptr) {
      return sabir_actor_submit(actor_of(self->actor), function_of(prepared.get()), num_returns, arguments.data(),
                                arguments.size(), refs, &error);
    }
    return sabir_task_submit(task_of(prepared.get()), arguments.data(), arguments.size(), refs, &error);
  });
  return status == SABIR_OK ? wrap_returns(refs, num_returns) : raise(error);
}

PyObject* call(PyObject* callable, PyObject* const* values, size_t flags, PyObject* names) {
  auto* self = reinterpret_cast<Stub*>(callable);
  Py_ssize_t count = PyVectorcall_NARGS(flags);
  if (!check_arguments(self, values, count, names) || !prepare(self)) {
    return nullptr;
  }
  Arguments arguments(self->actor != nullptr ? function_language(self->prepared) : task_language(self->prepared));
  // As for `prepared`: another thread may set it anew while a user's __reduce__ runs.
  Py_XINCREF(self->captured);
  Owned captured(self->captured);
  if (!arguments.encode(values, static_cast<size_t>(count), names, captured.get())) {
    return nullptr;
  }
  return submit(self, arguments);
}

PyObject* new_stub(PyTypeObject* type, PyObject* actor, PyObject* prepare_call, unsigned int num_returns,
                   Py_ssize_t minimum, Py_ssize_t maximum, PyObject* check) {
  auto* self = reinterpret_cast<Stub*>(type->tp_alloc(type, 0));
  if (self == nullptr) {
    return nullptr;
  }
  Py_XINCREF(actor);
  Py_INCREF(prepare_call);
  Py_INCREF(check);
  self->vectorcall = call;
  self->actor = actor;
  self->prepare = prepare_call;
  self->check = check;
  self->num_returns = num_returns;
  self->minimum = minimum;
  self->maximum = maximum;
  return reinterpret_cast<PyObject*>(self);
}

PyObject* new_task_stub(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* prepare_call = nullptr;
  PyObject* check = nullptr;
  Py_ssize_t minimum = 0;
  Py_ssize_t maximum = 0;
  if (!PyArg_ParseTuple(args, "OnnO", &prepare_call, &minimum, &maximum, &check)) {
    return nullptr;
  }
  return new_stub(type, nullptr, prepare_call, 0, minimum, maximum, check);
}

PyObject* new_method_stub(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* actor = nullptr;
  PyObject* prepare_call = nullptr;
  PyObject* check = nullptr;
  unsigned int num_returns = 1;
  Py_ssize_t minimum = 0;
  Py_ssize_t maximum = 0;
  if (!PyArg_ParseTuple(args, "O!OInnO", actor_type, &actor, &prepare_call, &num_returns, &minimum, &maximum, &check)) {
    return nullptr;
  }
  return new_stub(type, actor, prepare_call, num_returns, minimum, maximum, check);
}

int traverse(PyObject* object, visitproc visit, void* arg) {
  auto* self = reinterpret_cast<Stub*>(object);
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->prepare);
  Py_VISIT(self->check);
  Py_VISIT(self->prepared);
  Py_VISIT(self->captured);
  Py_VISIT(self->actor);
  return 0;
}

int clear(PyObject* object) {
  auto* self = reinterpret_cast<Stub*>(object);
  Py_CLEAR(self->prepare);
  Py_CLEAR(self->check);
  Py_CLEAR(self->prepared);
  Py_CLEAR(self->captured);
  Py_CLEAR(self->actor);
  return 0;
}

void dealloc(PyObject* object) {
  PyObject_GC_UnTrack(object);
  clear(object);
  PyTypeObject* type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Stub, vectorcall), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

constexpr unsigned int kFlags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL;

template <newfunc New>
PyTypeObject* make_type(const char* name) {
  PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void*>(New)},
      {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
      {Py_tp_dealloc, reinterpret_cast<void*>(dealloc)},
      {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
      {Py_tp_clear, reinterpret_cast<void*>(clear)},
      {Py_tp_members, members},
      {0, nullptr},
  };
  PyType_Spec spec = {name, sizeof(Stub), 0, kFlags, slots};
  return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
}

bool add_type(PyObject* module, const char* name, PyTypeObject* type) {
  if (type == nullptr) {
    return false;
  }
  Py_INCREF(type);
  return PyModule_AddObject(module, name, reinterpret_cast<PyObject*>(type)) == 0;
}

}  // namespace

bool add_stub_types(PyObject* module) {
  task_stub_type = make_type<new_task_stub>("sabir._sabir.TaskStub");
  method_stub_type = make_type<new_method_stub>("sabir._sabir.MethodStub");
  return add_type(module, "TaskStub", task_stub_type) && add_type(module, "MethodStub", method_stub_type);
}

}  // namespace sabir::python
