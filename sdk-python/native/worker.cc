#include "sdk-python/native/worker.h"

#include <cstring>
#include <memory>
#include <vector>

#include "sdk-python/native/call_arguments.h"
#include "sdk-python/native/encode.h"
#include "sdk-python/native/failure.h"

namespace sabir::python {
namespace {

constexpr int64_t kSpinNs = 20'000;

// Callables by function index, filled by the load_function hook; for an actor's methods the name. Owned for ever: the
// indices of a session never change their meaning.
std::vector<PyObject*> loaded;

PyObject* load(uint32_t index) {
  if (index < loaded.size() && loaded[index] != nullptr) {
    return loaded[index];
  }
  Owned number(PyLong_FromUnsignedLong(index));
  PyObject* callable = PyObject_CallFunctionObjArgs(state().hooks.load_function, number.get(), nullptr);
  if (callable == nullptr) {
    return nullptr;
  }
  if (index >= loaded.size()) {
    loaded.resize(index + 1);
  }
  loaded[index] = callable;
  return callable;
}

void raise_instead(PyObject* error) {
  if (error != nullptr) {
    PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);
  }
}

// A call that does not fit its callable fails as in the other languages; what the callable raises is its own.
PyObject* call(PyObject* callable, CallArguments& arguments) {
  PyObject* result = arguments.call(callable);
  if (result != nullptr || !PyErr_ExceptionMatches(PyExc_TypeError)) {
    return result;
  }
  Raised raised = Raised::take();
  if (raised.traceback) {
    raised.set_again();
    return nullptr;
  }
  Owned positional = arguments.positional();
  Owned named = arguments.named();
  if (positional && named) {
    Owned instead(PyObject_CallFunctionObjArgs(state().hooks.misfit, raised.value.get(), callable, positional.get(),
                                               named.get(), nullptr));
    raise_instead(instead.get());
  }
  return nullptr;
}

// A method that is not there is named; what code of the class raises, that looks for attributes, is its own.
PyObject* method_of(PyObject* instance, PyObject* name) {
  PyObject* method = PyObject_GetAttr(instance, name);
  if (method != nullptr || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
    return method;
  }
  Raised raised = Raised::take();
  if (raised.traceback) {
    raised.set_again();
    return nullptr;
  }
  Owned instead(PyObject_CallFunctionObjArgs(state().hooks.missing_method, instance, name, nullptr));
  raise_instead(instead.get());
  return nullptr;
}

PyObject* create_instance(PyObject* type, CallArguments& arguments) {
  PyObject* instance = call(type, arguments);
  if (instance == nullptr) {
    return nullptr;
  }
  Py_XSETREF(state().actor_instance, instance);
  Py_RETURN_NONE;
}

PyObject* call_method(PyObject* name, CallArguments& arguments) {
  PyObject* instance = state().actor_instance;
  if (instance == nullptr) {
    return PyErr_Format(PyExc_RuntimeError, "the actor has no instance: its constructor has not run");
  }
  // `__ray_terminate__` and its kind exist on every actor, whatever its class defines.
  Py_ssize_t length = PyUnicode_GET_LENGTH(name);
  if (length > 2 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_') {
    Owned positional = arguments.positional();
    Owned named = arguments.named();
    if (!positional || !named) {
      return nullptr;
    }
    return PyObject_CallFunctionObjArgs(state().hooks.special_method, instance, name, positional.get(), named.get(),
                                        nullptr);
  }
  Owned method(method_of(instance, name));
  return method ? call(method.get(), arguments) : nullptr;
}

PyObject* run(const sabir_work_view& work) {
  PyObject* callable = load(work.function_index);
  if (callable == nullptr) {
    return nullptr;
  }
  CallArguments arguments(work);
  if (!arguments.ok()) {
    return nullptr;
  }
  switch (work.kind) {
    case SABIR_WORK_ACTOR_CREATE:
      return create_instance(callable, arguments);
    case SABIR_WORK_ACTOR_CALL:
      return call_method(callable, arguments);
    default:
      return call(callable, arguments);
  }
}

// The values of a call with several returns: lists, tuples and generators alike, also one that would never end.
PyObject* take_items(PyObject* result, uint32_t wanted) {
  Owned iterator(PyObject_GetIter(result));
  Owned items(PyList_New(0));
  if (!iterator || !items) {
    if (PyErr_ExceptionMatches(PyExc_TypeError)) {
      PyErr_Format(PyExc_TypeError, "the task was to return %u values (num_returns), but it returned a %.100s", wanted,
                   Py_TYPE(result)->tp_name);
    }
    return nullptr;
  }
  for (uint32_t count = 0;; ++count) {
    Owned item(PyIter_Next(iterator.get()));
    if (PyErr_Occurred()) {
      return nullptr;
    }
    if (static_cast<bool>(item) != (count < wanted)) {
      const char* form = item ? "the task was to return %u values (num_returns), but it returned more"
                              : "the task was to return %u values (num_returns), but it returned %u";
      return PyErr_Format(PyExc_ValueError, form, wanted, count);
    }
    if (!item) {
      return items.release();
    }
    if (PyList_Append(items.get(), item.get()) != 0) {
      return nullptr;
    }
  }
}

// `caller`: the language that the result is first read in.
bool encode_result(EncodedValue& encoded, PyObject* value, sabir_language caller) {
  bool python = caller == SABIR_LANGUAGE_PYTHON || caller == SABIR_LANGUAGE_NONE;
  return python ? encoded.encode(value) : encoded.encode_result_for_others(value);
}

// Ends the work with the values of `result`; false with an exception set if they do not fit: the work is then still
// open, unless *ended.
bool finish(sabir_work* work, const sabir_work_view& view, PyObject* result, bool* ended) {
  uint32_t num_returns = view.num_returns;
  std::unique_ptr<EncodedValue[]> many;
  EncodedValue one;
  EncodedValue* encoded = &one;
  std::vector<sabir_value> values;
  sabir_value single{};
  if (num_returns == 1) {
    if (!encode_result(one, result, view.caller_language)) {
      return false;
    }
    single = one.value();
  } else if (num_returns > 1) {
    Owned items(take_items(result, num_returns));
    if (!items) {
      return false;
    }
    many = std::make_unique<EncodedValue[]>(num_returns);
    encoded = many.get();
    for (uint32_t i = 0; i < num_returns; ++i) {
      if (!encode_result(encoded[i], PyList_GET_ITEM(items.get(), i), view.caller_language)) {
        return false;
      }
      values.push_back(encoded[i].value());
    }
  }
  size_t size_bytes = 0;
  for (uint32_t i = 0; i < num_returns; ++i) {
    size_bytes += encoded[i].size_bytes();
  }
  *ended = true;
  // A failure here (a full store) has become the call's result already.
  const sabir_value* data = num_returns == 1 ? &single : values.data();
  if (size_bytes < kUnlockedCopyBytes) {
    sabir_work_finish(work, data, num_returns, nullptr);
  } else {
    {
      Unlocked unlocked;
      sabir_work_finish(work, data, num_returns, nullptr);
    }
  }
  return true;
}

void begin(const sabir_work_view& work) {
  State& now = state();
  static uint64_t gpu_mask = ~uint64_t{0};
  std::memcpy(now.task_id, work.task_id, sizeof(now.task_id));
  now.task_function = work.function_index;
  now.task_attempt = work.attempt;
  now.in_task = true;
  if (work.gpu_mask != gpu_mask) {
    gpu_mask = work.gpu_mask;
    Owned mask(PyLong_FromUnsignedLongLong(gpu_mask));
    Owned done(PyObject_CallFunctionObjArgs(now.hooks.task_begins, mask.get(), nullptr));
    if (!done) {
      PyErr_WriteUnraisable(now.hooks.task_begins);
    }
  }
}

void execute(sabir_work* work) {
  sabir_work_view view{};
  sabir_work_get_view(work, &view);
  begin(view);
  bool ended = false;
  {
    Owned result(run(view));
    if (!result || !finish(work, view, result.get(), &ended)) {
      fail_with_exception(work, view.function_index);
    }
  }
  state().in_task = false;
}

}  // namespace

PyObject* run_worker(PyObject*, PyObject*) {
  sabir_client* client = require_client();
  if (client == nullptr) {
    return nullptr;
  }
  sabir_queue* queue = sabir_client_work_queue(client);
  for (;;) {
    sabir_event event{};
    size_t count = 0;
    // First with the GIL: the next call is mostly there already.
    sabir_status status = sabir_queue_next(queue, &event, 1, kSpinNs, nullptr, &count, nullptr);
    sabir_error* error = nullptr;
    if (status == SABIR_TIMEOUT) {
      {
        Unlocked unlocked;
        status = sabir_queue_next(queue, &event, 1, -1, nullptr, &count, &error);
      }
    }
    if (status == SABIR_OK && count == 1 && event.kind == SABIR_EVENT_WORK) {
      execute(event.work);
      if (state().leaving) {
        Py_RETURN_NONE;
      }
      continue;
    }
    if (status == SABIR_CLOSED || status == SABIR_DISCONNECTED ||
        (status == SABIR_OK && count == 1 && event.kind == SABIR_EVENT_EXIT)) {
      sabir_error_destroy(error);
      Py_RETURN_NONE;
    }
    if (status != SABIR_OK && status != SABIR_TIMEOUT && status != SABIR_INTERRUPTED) {
      return error != nullptr ? raise(error) : raise(status, "the worker cannot take calls");
    }
    sabir_error_destroy(error);
    if (!handle_signals()) {
      return nullptr;
    }
  }
}

PyObject* context(PyObject*, PyObject*) {
  const State& now = state();
  if (!now.in_task) {
    return PyDict_New();
  }
  return Py_BuildValue("{s:y#,s:I,s:I}", "task_id", reinterpret_cast<const char*>(now.task_id),
                       static_cast<Py_ssize_t>(sizeof(now.task_id)), "function", now.task_function, "attempt",
                       now.task_attempt);
}

PyObject* actor_instance(PyObject*, PyObject*) {
  PyObject* instance = state().actor_instance;
  if (instance == nullptr) {
    Py_RETURN_NONE;
  }
  Py_INCREF(instance);
  return instance;
}

PyObject* exit_worker(PyObject*, PyObject*) {
  sabir_client* client = require_client();
  if (client == nullptr) {
    return nullptr;
  }
  sabir_error* error = nullptr;
  sabir_status status = SABIR_OK;
  {
    Unlocked unlocked;
    status = sabir_worker_exit(client, &error);
  }
  if (status != SABIR_OK) {
    return raise(error);
  }
  state().leaving = true;
  Py_RETURN_NONE;
}

}  // namespace sabir::python
