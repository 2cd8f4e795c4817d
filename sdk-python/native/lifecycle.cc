#include "sdk-python/native/lifecycle.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include "sdk-python/native/client_call.h"
#include "sdk-python/native/config.h"
#include "sdk-python/native/events.h"

namespace sabir::python {
namespace {

void adopt(sabir_client* client) {
  State& now = state();
  now.client = client;
  ++now.epoch;
}

}  // namespace

PyObject* start(PyObject*, PyObject* dict) {
  Config config;
  sabir_client* client = nullptr;
  if (!config.read(dict) ||
      !call_unlocked([&](sabir_error** error) { return sabir_client_start(config.get(), &client, error); })) {
    return nullptr;
  }
  adopt(client);
  Py_RETURN_NONE;
}

PyObject* start_worker(PyObject*, PyObject* args) {
  PyObject* session = nullptr;
  PyObject* token = nullptr;
  sabir_string session_text{};
  sabir_string token_text{};
  if (!PyArg_ParseTuple(args, "UU", &session, &token) || !utf8_of(session, "session", &session_text) ||
      !utf8_of(token, "token", &token_text)) {
    return nullptr;
  }
  sabir_client* client = nullptr;
  sabir_error* error = nullptr;
  sabir_status result = sabir_client_start_worker(session_text, token_text, &client, &error);
  if (result != SABIR_OK) {
    return raise(error);
  }
  // The zygote's thread became this process's main thread by fork.
  state().main_thread = static_cast<long>(PyThread_get_thread_ident());
  adopt(client);
  Py_RETURN_NONE;
}

PyObject* shutdown(PyObject*, PyObject*) {
  State& now = state();
  sabir_client* client = now.client;
  if (client == nullptr) {
    Py_RETURN_NONE;
  }
  now.client = nullptr;
  ++now.epoch;
  sabir_error* error = nullptr;
  sabir_status result = SABIR_OK;
  {
    Unlocked unlocked;
    result = sabir_client_shutdown(client, &error);
  }
  if (result == SABIR_FORKED) {
    now.unlocked = 0;  // the other threads are not in this process
  }
  // Every blocked call has returned; a thread may yet be on its way into one, or out.
  while (now.unlocked != 0) {
    PyThreadState* thread = PyEval_SaveThread();
    usleep(100);
    PyEval_RestoreThread(thread);
  }
  close_events();
  // With the GIL: threads that hold it while they call the core, for moments, are kept out.
  sabir_client_destroy(client);
  // In a forked child there was nothing to shut down.
  if (result != SABIR_OK && result != SABIR_FORKED && result != SABIR_DISCONNECTED) {
    return raise(error);
  }
  sabir_error_destroy(error);
  Py_RETURN_NONE;
}

PyObject* is_started(PyObject*, PyObject*) { return PyBool_FromLong(state().client != nullptr); }

PyObject* info(PyObject*, PyObject*) {
  sabir_client_info fields = SABIR_CLIENT_INFO_INIT;
  if (!call_client(
          [&](sabir_client* client, sabir_error** error) { return sabir_client_get_info(client, &fields, error); })) {
    return nullptr;
  }
  return Py_BuildValue("{s:N,s:N,s:N,s:N,s:N,s:y#,s:N,s:i,s:N}", "session_path", to_unicode(fields.session_path),
                       "job_id", to_unicode(fields.job_id), "node_id", to_unicode(fields.node_id), "process_id",
                       to_unicode(fields.process_id), "namespace", to_unicode(fields.name_space), "job_config",
                       static_cast<const char*>(fields.job_config.data),
                       static_cast<Py_ssize_t>(fields.job_config.size), "is_worker",
                       PyBool_FromLong(static_cast<long>(fields.is_worker)), "language",
                       static_cast<int>(fields.language), "actor_id", to_unicode(fields.actor_id));
}

PyObject* version(PyObject*, PyObject*) { return to_unicode(sabir_version()); }

PyObject* die_with(PyObject*, PyObject* args) {
  int parent = 0;
  int between = 0;
  if (!PyArg_ParseTuple(args, "ii", &parent, &between)) {
    return nullptr;
  }
  // The signal would be sent when the intermediate parent ends, were it asked for before. Whoever is the parent when
  // that is gone stays it: if sabird has died meanwhile, somebody else.
  while (getppid() == between) {
    usleep(200);
  }
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return PyErr_SetFromErrno(PyExc_OSError);
  }
  if (getppid() != parent) {
    return PyErr_Format(PyExc_ConnectionError, "the node died while this worker started");
  }
  Py_RETURN_NONE;
}

}  // namespace sabir::python
