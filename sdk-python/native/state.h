// What the extension module keeps between calls: the process's client, the hooks into the Python half of the SDK, and
// the translation of the core's errors into Python exceptions. Everything here is used with the GIL held.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/abi/sabir.h"

namespace sabir::python {

// Owns one reference; small on purpose, pybind11's object pulls its whole header into every hot file.
class Owned {
 public:
  Owned() = default;
  explicit Owned(PyObject* object) : object_(object) {}
  Owned(Owned&& other) noexcept : object_(other.release()) {}
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      Py_XDECREF(object_);
      object_ = other.release();
    }
    return *this;
  }
  ~Owned() { Py_XDECREF(object_); }

  PyObject* get() const { return object_; }
  PyObject* release() {
    PyObject* object = object_;
    object_ = nullptr;
    return object;
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// The exception that was set, an instance, and set no more.
struct Raised {
  Owned type;
  Owned value;
  Owned traceback;  // none: no line of Python has run since what raised it began

  static Raised take();
  void set_again() { PyErr_Restore(type.release(), value.release(), traceback.release()); }
};

// Python callables that do the slow half; set once by sabir/_runtime.py through set_hooks().
struct Hooks {
  PyObject* dumps = nullptr;           // (value) -> (bytes, list of buffers)
  PyObject* loads = nullptr;           // (buffer, list of buffers) -> value
  PyObject* load_function = nullptr;   // (index) -> callable or class
  PyObject* failure = nullptr;         // (exception, function index) -> dict of sabir_failure's fields
  PyObject* error_value = nullptr;     // (dict of an error value, its bytes) -> exception to raise
  PyObject* missing_method = nullptr;  // (instance, name) -> exception to raise
  PyObject* misfit = nullptr;          // (TypeError of a call, callable, args, kwargs) -> exception to raise
  PyObject* special_method = nullptr;  // (instance, name, args, kwargs) -> value: methods every actor has
  PyObject* actor_handle = nullptr;    // the class ActorHandle
  PyObject* neutral = nullptr;         // (value, place) -> the value as other languages know it, or SerializationError
  PyObject* serialization_error = nullptr;  // the class
  PyObject* table = nullptr;                // (Table, origin) -> what it was to its sender
  PyObject* task_begins = nullptr;          // (gpu mask) -> None: called when the GPUs of this worker change
};

struct State {
  sabir_client* client = nullptr;
  uint64_t epoch = 0;     // counts starts and ends: prepared tasks of an earlier one are prepared again
  uint32_t unlocked = 0;  // threads that have released the GIL to call the core: the client must outlive their calls
  long main_thread = 0;   // only this thread looks for signals while it waits
  Hooks hooks;
  PyObject* exceptions = nullptr;  // dict: status -> exception class
  // What this worker runs now; for get_runtime_context().
  uint8_t task_id[16] = {};
  uint32_t task_function = 0;
  uint32_t task_attempt = 0;
  bool in_task = false;
  bool leaving = false;  // asked for by the running call: this worker takes no further one
  PyObject* actor_instance = nullptr;
};

State& state();

// Releases the GIL for a call of the core.
class Unlocked {
 public:
  Unlocked() {
    ++state().unlocked;
    thread_ = PyEval_SaveThread();
  }
  ~Unlocked() {
    PyEval_RestoreThread(thread_);
    --state().unlocked;
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* thread_;
};

// Between two calls of one wait: false, with an exception set, when the client of `epoch` has ended meanwhile.
bool still_started(uint64_t epoch);

// From this size on bytes are copied without the GIL: the copy takes long, and the core may have to wait for room.
inline constexpr size_t kUnlockedCopyBytes = 64 << 10;

// The client, or null with NotInitializedError set.
sabir_client* require_client();

// Raises the exception class of the error's status and destroys the error. Returns null for `return raise(...)`.
PyObject* raise(sabir_error* error);
PyObject* raise(sabir_status status, std::string_view message);

// Runs between two slices of a wait. False: a Python exception (KeyboardInterrupt) is set.
bool handle_signals();
// 1 if the calling thread is the one that handles signals.
bool on_main_thread();

inline sabir_string as_string(std::string_view text) { return {text.data(), text.size()}; }
inline PyObject* to_unicode(sabir_string text) {
  return PyUnicode_DecodeUTF8(text.data, static_cast<Py_ssize_t>(text.size), "replace");
}
// The UTF-8 bytes inside a str object; false with TypeError set.
bool utf8_of(PyObject* object, const char* what, sabir_string* out);

PyObject* set_hooks(PyObject* module, PyObject* hooks);
PyObject* set_exceptions(PyObject* module, PyObject* classes);

}  // namespace sabir::python
