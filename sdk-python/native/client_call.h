// Calls of the core that may take a moment, made without the GIL.
#pragma once

#include "sdk-python/native/state.h"

namespace sabir::python {

// The status of `operation(&error)` is OK, or its error is raised and false returned. A signal whose handler does not
// raise has the operation begin again.
template <typename Operation>
bool call_unlocked(Operation operation) {
  sabir_error* error = nullptr;
  sabir_status status = SABIR_INTERRUPTED;
  while (status == SABIR_INTERRUPTED) {
    sabir_error_destroy(error);
    error = nullptr;
    {
      Unlocked unlocked;
      status = operation(&error);
    }
    if (status == SABIR_INTERRUPTED && !handle_signals()) {
      sabir_error_destroy(error);
      return false;
    }
  }
  if (status != SABIR_OK) {
    raise(error);
    return false;
  }
  return true;
}

// The same with this process's client: `operation(client, &error)`.
template <typename Operation>
bool call_client(Operation operation) {
  sabir_client* client = require_client();
  return client != nullptr && call_unlocked([&](sabir_error** error) { return operation(client, error); });
}

}  // namespace sabir::python
