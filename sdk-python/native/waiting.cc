#include "sdk-python/native/waiting.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "sdk-python/native/decode.h"
#include "sdk-python/native/encode.h"
#include "sdk-python/native/object_ref.h"

namespace sabir::python {
namespace {

constexpr int64_t kSpinNs = 20'000;
// How long the main thread waits before it looks whether a signal wants a Python handler to run.
constexpr int64_t kSliceNs = 50'000'000;
constexpr int64_t kPutTimeoutNs = 30'000'000'000;

bool expect_args(const char* name, Py_ssize_t wanted, Py_ssize_t count) {
  if (wanted != count) {
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, not %zd", name, wanted, count);
    return false;
  }
  return true;
}

// What a wait in slices waits with: between two slices a worker's CPU stays lent.
class SlicedWait {
 public:
  explicit SlicedWait(sabir_client* client) : client_(client) {
    if (sabir_waiter_create(&waiter_, nullptr) == SABIR_OK) {
      sabir_waiter_begin_slices(waiter_);
    }
  }
  ~SlicedWait() {
    if (waiter_ != nullptr) {
      if (state().client == client_) {  // else shutdown() has ended it meanwhile
        sabir_waiter_end_slices(client_, waiter_);
      }
      sabir_waiter_destroy(waiter_);
    }
  }
  SlicedWait(const SlicedWait&) = delete;
  SlicedWait& operator=(const SlicedWait&) = delete;
  sabir_waiter* waiter() const { return waiter_; }

 private:
  sabir_client* client_;
  sabir_waiter* waiter_ = nullptr;
};

// Calls `step(slice_ns, waiter)` until it says something else than "not yet" (TIMEOUT), the time is over or a signal
// raises. Returns the last status; SABIR_INTERRUPTED with a Python exception set when a handler raised.
template <typename Step>
sabir_status in_slices(sabir_client* client, int64_t timeout_ns, Step step) {
  int64_t deadline_ns = timeout_ns < 0 ? INT64_MAX : steady_now_ns() + timeout_ns;
  bool main_thread = on_main_thread();
  uint64_t epoch = state().epoch;
  SlicedWait wait(client);
  for (;;) {
    int64_t left_ns = timeout_ns < 0 ? -1 : std::max<int64_t>(0, deadline_ns - steady_now_ns());
    int64_t slice_ns = main_thread && (left_ns < 0 || left_ns > kSliceNs) ? kSliceNs : left_ns;
    sabir_status status = SABIR_OK;
    {
      Unlocked unlocked;
      status = step(slice_ns, wait.waiter());
    }
    if (status != SABIR_TIMEOUT && status != SABIR_INTERRUPTED) {
      return status;
    }
    if (!handle_signals() || !still_started(epoch)) {
      return SABIR_INTERRUPTED;
    }
    if (status == SABIR_TIMEOUT && timeout_ns >= 0 && steady_now_ns() >= deadline_ns) {
      return SABIR_TIMEOUT;
    }
  }
}

PyObject* raise_timeout(const std::vector<sabir_ref*>& refs, int64_t timeout_ns) {
  size_t missing = 0;
  for (sabir_ref* ref : refs) {
    missing += sabir_ref_ready(ref) == 0 ? 1 : 0;
  }
  char text[128];
  std::snprintf(text, sizeof(text), "get() timed out after %g s: %zu of %zu values are not there yet",
                static_cast<double>(timeout_ns) / 1e9, missing, refs.size());
  return raise(SABIR_TIMEOUT, text);
}

// Waits until all have a value or one has an error.
bool wait_all(sabir_client* client, const std::vector<sabir_ref*>& refs, int64_t timeout_ns) {
  sabir_error* error = nullptr;
  // With the GIL: mostly the value is there, or a moment away.
  int64_t spin_ns = timeout_ns < 0 ? kSpinNs : std::min(kSpinNs, timeout_ns);
  sabir_status status = sabir_get(client, refs.data(), refs.size(), spin_ns, nullptr, &error);
  if ((status == SABIR_TIMEOUT || status == SABIR_INTERRUPTED) && timeout_ns != 0) {
    status = in_slices(client, timeout_ns, [&](int64_t slice_ns, sabir_waiter* waiter) {
      sabir_error_destroy(error);
      error = nullptr;
      return sabir_get(client, refs.data(), refs.size(), slice_ns, waiter, &error);
    });
  }
  if (status == SABIR_OK) {
    return true;
  }
  if (PyErr_Occurred()) {
    sabir_error_destroy(error);
  } else if (status == SABIR_TIMEOUT) {
    sabir_error_destroy(error);
    raise_timeout(refs, timeout_ns);
  } else {
    raise(error);
  }
  return false;
}

// SABIR_TIMEOUT's error means: an earlier reference has no value because a later one failed.
PyObject* value_of(sabir_ref* ref) {
  sabir_view view{};
  sabir_error* error = nullptr;
  if (sabir_ref_view(ref, &view, &error) != SABIR_OK) {
    return raise(error);
  }
  return decode_value(view, ref);
}

PyObject* get_one(sabir_client* client, PyObject* object, int64_t timeout_ns) {
  sabir_ref* ref = ref_of(object);
  Py_INCREF(object);
  Owned keep(object);
  if (!sabir_ref_ready(ref) && !wait_all(client, {ref}, timeout_ns)) {
    return nullptr;
  }
  return value_of(ref);
}

// When one failed, the first in the list that has failed is the one to raise.
bool raise_first_failure(const std::vector<sabir_ref*>& refs) {
  for (sabir_ref* ref : refs) {
    sabir_view view{};
    if (sabir_ref_view(ref, &view, nullptr) == SABIR_OK && view.is_error != 0) {
      decode_value(view, ref);
      return true;
    }
  }
  return false;
}

bool refs_of(PyObject* list, const char* caller, std::vector<sabir_ref*>* out) {
  Py_ssize_t size = PyList_GET_SIZE(list);
  out->reserve(static_cast<size_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* item = PyList_GET_ITEM(list, i);
    if (!is_object_ref(item)) {
      PyErr_Format(PyExc_TypeError, "%s() wants ObjectRefs, but item %zd of the list is a %.100s", caller, i,
                   Py_TYPE(item)->tp_name);
      return false;
    }
    out->push_back(ref_of(item));
  }
  return true;
}

PyObject* get_list(sabir_client* client, PyObject* list, int64_t timeout_ns) {
  // A snapshot: while the GIL is released another thread may change the list or drop its references.
  Owned items(PyList_GetSlice(list, 0, PyList_GET_SIZE(list)));
  std::vector<sabir_ref*> refs;
  if (!items || !refs_of(items.get(), "get", &refs)) {
    return nullptr;
  }
  if (!refs.empty() && !wait_all(client, refs, timeout_ns)) {
    return nullptr;
  }
  Owned values(PyList_New(static_cast<Py_ssize_t>(refs.size())));
  for (size_t i = 0; values && i < refs.size(); ++i) {
    if (!sabir_ref_ready(refs[i])) {
      raise_first_failure(refs);
      return nullptr;
    }
    PyObject* value = value_of(refs[i]);
    if (value == nullptr) {
      return nullptr;
    }
    PyList_SET_ITEM(values.get(), static_cast<Py_ssize_t>(i), value);
  }
  return values.release();
}

}  // namespace

int64_t steady_now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

bool timeout_of(PyObject* seconds, int64_t* timeout_ns) {
  if (seconds == Py_None) {
    *timeout_ns = -1;
    return true;
  }
  double value = PyFloat_AsDouble(seconds);
  if (value == -1.0 && PyErr_Occurred()) {
    return false;
  }
  if (std::isnan(value) || value < 0) {
    PyErr_Format(PyExc_ValueError, "timeout must be None or at least 0 seconds, not %R", seconds);
    return false;
  }
  *timeout_ns = value > 9e9 ? -1 : static_cast<int64_t>(value * 1e9);
  return true;
}

PyObject* get(PyObject*, PyObject* const* args, Py_ssize_t count) {
  int64_t timeout_ns = -1;
  sabir_client* client = require_client();
  if (client == nullptr || !expect_args("get", 2, count) || !timeout_of(args[1], &timeout_ns)) {
    return nullptr;
  }
  if (is_object_ref(args[0])) {
    return get_one(client, args[0], timeout_ns);
  }
  if (!PyList_Check(args[0])) {
    return PyErr_Format(PyExc_TypeError, "get() wants an ObjectRef or a list of them, not a %.100s",
                        Py_TYPE(args[0])->tp_name);
  }
  return get_list(client, args[0], timeout_ns);
}

PyObject* wait(PyObject*, PyObject* const* args, Py_ssize_t count) {
  int64_t timeout_ns = -1;
  sabir_client* client = require_client();
  if (client == nullptr || !expect_args("wait", 3, count) || !timeout_of(args[2], &timeout_ns)) {
    return nullptr;
  }
  if (!PyList_Check(args[0])) {
    return PyErr_Format(PyExc_TypeError, "wait() wants a list of ObjectRefs, not a %.100s", Py_TYPE(args[0])->tp_name);
  }
  Py_ssize_t wanted = PyLong_AsSsize_t(args[1]);
  if (wanted == -1 && PyErr_Occurred()) {
    return nullptr;
  }
  Owned items(PyList_GetSlice(args[0], 0, PyList_GET_SIZE(args[0])));
  std::vector<sabir_ref*> refs;
  if (!items || !refs_of(items.get(), "wait", &refs)) {
    return nullptr;
  }
  if (refs.empty()) {
    return Py_BuildValue("([][])");
  }
  if (wanted <= 0 || static_cast<size_t>(wanted) > refs.size()) {
    return PyErr_Format(PyExc_ValueError, "num_returns must be between 1 and %zu, the number of references, not %zd",
                        refs.size(), wanted);
  }
  std::vector<uint8_t> ready(refs.size());
  size_t ready_count = 0;
  sabir_error* error = nullptr;
  sabir_status status = in_slices(client, timeout_ns, [&](int64_t slice_ns, sabir_waiter* waiter) {
    sabir_error_destroy(error);
    error = nullptr;
    sabir_status result = sabir_wait(client, refs.data(), refs.size(), static_cast<size_t>(wanted), slice_ns, waiter,
                                     ready.data(), &ready_count, &error);
    return result == SABIR_OK && ready_count < static_cast<size_t>(wanted) ? SABIR_TIMEOUT : result;
  });
  if (PyErr_Occurred()) {
    sabir_error_destroy(error);
    return nullptr;
  }
  if (status != SABIR_OK && status != SABIR_TIMEOUT) {
    return raise(error);
  }
  sabir_error_destroy(error);
  Owned yes(PyList_New(0));
  Owned no(PyList_New(0));
  for (size_t i = 0; yes && no && i < refs.size(); ++i) {
    if (PyList_Append(ready[i] != 0 ? yes.get() : no.get(), PyList_GET_ITEM(items.get(), static_cast<Py_ssize_t>(i))) !=
        0) {
      return nullptr;
    }
  }
  return yes && no ? Py_BuildValue("(OO)", yes.get(), no.get()) : nullptr;
}

PyObject* put(PyObject*, PyObject* value) {
  sabir_client* client = require_client();
  if (client == nullptr) {
    return nullptr;
  }
  if (is_object_ref(value)) {
    return PyErr_Format(PyExc_TypeError, "put() of an ObjectRef is not allowed: it has a value already");
  }
  EncodedValue encoded;
  if (!encoded.encode_to_put(value)) {
    return nullptr;
  }
  sabir_ref* ref = nullptr;
  sabir_error* error = nullptr;
  const sabir_value& bytes = encoded.value();
  sabir_status status = SABIR_OK;
  if (encoded.size_bytes() < kUnlockedCopyBytes) {  // small: no system call, no wait
    status = sabir_put(client, &bytes, 0, &ref, &error);
  } else {
    status = SABIR_TIMEOUT;
  }
  if (status == SABIR_TIMEOUT || status == SABIR_STORE_FULL || status == SABIR_INTERRUPTED) {
    status = in_slices(client, kPutTimeoutNs, [&](int64_t slice_ns, sabir_waiter*) {
      sabir_error_destroy(error);
      error = nullptr;
      int64_t began_ns = steady_now_ns();
      sabir_status result = sabir_put(client, &bytes, slice_ns, &ref, &error);
      // Full now: the slices go on until the time is over. An answer at once means that it can never fit.
      bool waited = steady_now_ns() - began_ns >= slice_ns / 2;
      return result == SABIR_STORE_FULL && waited ? SABIR_TIMEOUT : result;
    });
  }
  if (status == SABIR_OK) {
    return wrap_ref(ref);
  }
  if (PyErr_Occurred()) {
    sabir_error_destroy(error);
    return nullptr;
  }
  return raise(error);
}

}  // namespace sabir::python
