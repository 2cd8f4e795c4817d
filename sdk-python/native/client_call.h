// Calls of the core that may take a moment, made without the GIL.
#pragma once

#include <csignal>

#include "sdk-python/native/state.h"

namespace sabir::python {

// The status of `operation(&error)` is OK, or its error is raised and false returned. A signal whose handler does not
// raise has the operation begin again.
template <typename Operation>
bool call_unlocked(Operation operation) {
  constexpr int kMostInterrupted = 3;  // then it goes on to its end: a timer's signals would never let it
  sabir_error* error = nullptr;
  sabir_status status = SABIR_INTERRUPTED;
  for (int attempt = 0; status == SABIR_INTERRUPTED; ++attempt) {
    sabir_error_destroy(error);
    error = nullptr;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    bool undisturbed = attempt >= kMostInterrupted;
    if (undisturbed) {
      pthread_sigmask(SIG_BLOCK, &all, &before);
    }
    {
      Unlocked unlocked;
      status = operation(&error);
    }
    if (undisturbed) {
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
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
