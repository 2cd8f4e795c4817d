// The extension module `sabir._sabir`: a thin binding of sabir.h. sabir/*.py is the public face.

#include "sdk-python/native/actor.h"
#include "sdk-python/native/captured.h"
#include "sdk-python/native/codec.h"
#include "sdk-python/native/events.h"
#include "sdk-python/native/failure.h"
#include "sdk-python/native/function.h"
#include "sdk-python/native/groups.h"
#include "sdk-python/native/lifecycle.h"
#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/ref_context.h"
#include "sdk-python/native/session.h"
#include "sdk-python/native/store_buffer.h"
#include "sdk-python/native/stub.h"
#include "sdk-python/native/table.h"
#include "sdk-python/native/waiting.h"
#include "sdk-python/native/worker.h"

namespace sabir::python {
namespace {

template <typename Function>
PyCFunction fast(Function function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

PyMethodDef functions[] = {
    {"set_hooks", set_hooks, METH_O, nullptr},
    {"set_exceptions", set_exceptions, METH_O, nullptr},
    {"start", start, METH_O, nullptr},
    {"start_worker", start_worker, METH_VARARGS, nullptr},
    {"shutdown", shutdown, METH_NOARGS, nullptr},
    {"is_started", is_started, METH_NOARGS, nullptr},
    {"info", info, METH_NOARGS, nullptr},
    {"status", status, METH_NOARGS, nullptr},
    {"die_with", die_with, METH_VARARGS, nullptr},
    {"node_start", node_start, METH_O, nullptr},
    {"node_status", node_status, METH_VARARGS, nullptr},
    {"node_stop", node_stop, METH_VARARGS, nullptr},
    {"node_drain", node_drain, METH_VARARGS, nullptr},
    {"version", version, METH_NOARGS, nullptr},
    {"kv_put", kv_put, METH_VARARGS, nullptr},
    {"kv_get", kv_get, METH_O, nullptr},
    {"kv_delete", kv_delete, METH_O, nullptr},
    {"create_group", create_group, METH_VARARGS, nullptr},
    {"group_ready", group_ready, METH_VARARGS, nullptr},
    {"remove_group", remove_group, METH_O, nullptr},
    {"find_groups", find_groups, METH_VARARGS, nullptr},
    {"current_group", current_group, METH_NOARGS, nullptr},
    {"export_function", export_function, METH_VARARGS, nullptr},
    {"get_function", get_function, METH_O, nullptr},
    {"prepare_task", prepare_task, METH_VARARGS, nullptr},
    {"create_actor", create_actor, METH_VARARGS, nullptr},
    {"lookup_actor", lookup_actor, METH_VARARGS, nullptr},
    {"get", fast(get), METH_FASTCALL, nullptr},
    {"wait", fast(wait), METH_FASTCALL, nullptr},
    {"put", put, METH_O, nullptr},
    {"watch", watch, METH_VARARGS, nullptr},
    {"next_ready", next_ready, METH_NOARGS, nullptr},
    {"next_notices", next_notices, METH_O, nullptr},
    {"run_worker", run_worker, METH_NOARGS, nullptr},
    {"context", context, METH_NOARGS, nullptr},
    {"actor_instance", actor_instance, METH_NOARGS, nullptr},
    {"exit_worker", exit_worker, METH_NOARGS, nullptr},
    {"collect", collect, METH_O, nullptr},
    {"with_refs", with_refs, METH_VARARGS, nullptr},
    {"error_map", error_map, METH_O, nullptr},
    {"_ref_at", ref_at, METH_O, nullptr},
    {"_actor_at", actor_at, METH_O, nullptr},
    {"_to_table", to_table, METH_O, nullptr},
    {"_encode", encode_bytes, METH_O, nullptr},
    {"_decode", decode_bytes, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "sabir._sabir",
    "Sabir's binding to libsabir.so; use the package `sabir`.",
    -1,
    functions,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace
}  // namespace sabir::python

PyMODINIT_FUNC PyInit__sabir(void) {  // NOLINT(readability-identifier-naming): CPython looks for this name
  using namespace sabir::python;
  if (sabir_abi_version() != SABIR_ABI_VERSION) {
    return PyErr_Format(PyExc_ImportError, "libsabir.so has ABI version %u, this module was built for %u",
                        sabir_abi_version(), SABIR_ABI_VERSION);
  }
  Owned module(PyModule_Create(&definition));
  if (!module || !add_object_ref_type(module.get()) || !add_store_buffer_type(module.get()) ||
      !add_function_types(module.get()) || !add_actor_type(module.get()) || !add_stub_types(module.get()) ||
      !add_table_type(module.get()) || !remember_ref_loader(module.get()) || !add_captured(module.get())) {
    return nullptr;
  }
  state().main_thread = static_cast<long>(PyThread_get_thread_ident());
  return module.release();
}
