#include "sdk-python/native/events.h"

#include "sdk-python/native/object_ref.h"
#include "sdk-python/native/waiting.h"

namespace sabir::python {
namespace {

constexpr size_t kBatch = 64;
sabir_queue* ready_queue = nullptr;

// Waits for events without the GIL; none when the time is over. False: null or None is to be returned (*result).
bool pull(sabir_queue* queue, int64_t timeout_ns, sabir_event* events, size_t* count, PyObject** result) {
  sabir_error* error = nullptr;
  sabir_status status = SABIR_INTERRUPTED;
  uint64_t epoch = state().epoch;
  while (status == SABIR_INTERRUPTED || (status == SABIR_TIMEOUT && timeout_ns < 0)) {
    sabir_error_destroy(error);
    error = nullptr;
    {
      Unlocked unlocked;
      status = sabir_queue_next(queue, events, kBatch, timeout_ns, nullptr, count, &error);
    }
    if (!handle_signals() || (status != SABIR_OK && status != SABIR_CLOSED && !still_started(epoch))) {
      sabir_error_destroy(error);
      *result = nullptr;
      return false;
    }
  }
  if (status == SABIR_OK) {
    return true;
  }
  if (status == SABIR_TIMEOUT) {
    sabir_error_destroy(error);
    *count = 0;
    return true;
  }
  if (status == SABIR_CLOSED || status == SABIR_DISCONNECTED || status == SABIR_FORKED) {
    sabir_error_destroy(error);
    Py_INCREF(Py_None);
    *result = Py_None;
    return false;
  }
  *result = raise(error);
  return false;
}

PyObject* notice(const sabir_event& event) {
  switch (event.kind) {
    case SABIR_EVENT_LOG: {
      sabir_log_view view = SABIR_LOG_VIEW_INIT;
      sabir_error* error = nullptr;
      if (sabir_log_read(event.buffer, &view, &error) != SABIR_OK) {
        return raise(error);
      }
      return Py_BuildValue("(sNIINK)", "log", to_unicode(view.task_name), view.pid, view.stream, to_unicode(view.text),
                           static_cast<unsigned long long>(view.dropped_lines));
    }
    case SABIR_EVENT_WARNING: {
      sabir_span text = sabir_buffer_bytes(event.buffer);
      return Py_BuildValue("(sN)", "warning", to_unicode({static_cast<const char*>(text.data), text.size}));
    }
    case SABIR_EVENT_COLLECT:
      return Py_BuildValue("(s)", "collect");
    default:
      return Py_BuildValue("(s)", "exit");
  }
}

}  // namespace

PyObject* watch(PyObject*, PyObject* args) {
  PyObject* ref = nullptr;
  unsigned long long tag = 0;
  if (!PyArg_ParseTuple(args, "O!K", object_ref_type, &ref, &tag)) {
    return nullptr;
  }
  sabir_client* client = require_client();
  sabir_error* error = nullptr;
  if (client == nullptr) {
    return nullptr;
  }
  if (ready_queue == nullptr && sabir_queue_create(client, &ready_queue, &error) != SABIR_OK) {
    return raise(error);
  }
  if (sabir_ref_watch(ref_of(ref), ready_queue, tag, &error) != SABIR_OK) {
    return raise(error);
  }
  Py_RETURN_NONE;
}

PyObject* next_ready(PyObject*, PyObject*) {
  sabir_event events[kBatch];
  size_t count = 0;
  PyObject* result = nullptr;
  sabir_client* client = require_client();
  sabir_error* error = nullptr;
  if (client == nullptr) {
    return nullptr;
  }
  if (ready_queue == nullptr && sabir_queue_create(client, &ready_queue, &error) != SABIR_OK) {
    return raise(error);
  }
  if (!pull(ready_queue, -1, events, &count, &result)) {
    return result;
  }
  Owned tags(PyList_New(static_cast<Py_ssize_t>(count)));
  for (size_t i = 0; tags && i < count; ++i) {
    PyList_SET_ITEM(tags.get(), static_cast<Py_ssize_t>(i), PyLong_FromUnsignedLongLong(events[i].tag));
  }
  return tags.release();
}

PyObject* next_notices(PyObject*, PyObject* timeout_s) {
  int64_t timeout_ns = -1;
  sabir_client* client = require_client();
  if (client == nullptr || !timeout_of(timeout_s, &timeout_ns)) {
    return nullptr;
  }
  sabir_event events[kBatch];
  size_t count = 0;
  PyObject* result = nullptr;
  if (!pull(sabir_client_notice_queue(client), timeout_ns, events, &count, &result)) {
    return result;
  }
  Owned notices(PyList_New(0));
  for (size_t i = 0; i < count; ++i) {
    if (notices) {
      Owned item(notice(events[i]));
      if (!item || PyList_Append(notices.get(), item.get()) != 0) {
        notices = Owned();
      }
    }
    sabir_buffer_destroy(events[i].buffer);
  }
  return notices.release();
}

void close_events() {
  sabir_queue_destroy(ready_queue);
  ready_queue = nullptr;
}

}  // namespace sabir::python
