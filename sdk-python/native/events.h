// Queues of events at the Python side: completions for futures and asyncio, notices for the log printer.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// _sabir.watch(ref, tag): the tag comes out of next_ready() once the reference has a value or an error.
PyObject* watch(PyObject* module, PyObject* args);
// _sabir.next_ready() -> list of tags; waits until there are some. None once the client is shut down.
PyObject* next_ready(PyObject* module, PyObject*);
// _sabir.next_notices(timeout_s) -> list of tuples: ("log", task name, pid, stream, text, dropped lines), ("warning",
// text),
// ("collect",) or ("exit",); waits until there are some, None without end. None once the client is shut down.
PyObject* next_notices(PyObject* module, PyObject* timeout_s);

// Ends the completion queue with its client.
void close_events();

}  // namespace sabir::python
