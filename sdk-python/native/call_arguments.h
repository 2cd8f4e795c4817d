// A call's arguments, decoded for the callable that a worker runs.
#pragma once

#include <memory>

#include "sdk-python/native/state.h"

namespace sabir::python {

// As a vectorcall takes them: positional values, then named ones.
class CallArguments {
 public:
  explicit CallArguments(const sabir_work_view& work);
  ~CallArguments();
  CallArguments(const CallArguments&) = delete;
  CallArguments& operator=(const CallArguments&) = delete;

  // False: a Python exception is set.
  bool ok() const { return ok_; }
  PyObject* call(PyObject* callable);
  // As a tuple and a dict; empty with an exception set on failure.
  Owned positional() const;
  Owned named() const;

 private:
  static constexpr size_t kInline = 8;

  bool decode(const sabir_work_view& work);

  PyObject* inline_[kInline];
  std::unique_ptr<PyObject*[]> more_;
  PyObject** values_ = inline_;  // one free place in front: PY_VECTORCALL_ARGUMENTS_OFFSET
  size_t count_ = 0;
  size_t positional_ = 0;
  Owned names_;
  bool ok_ = false;
};

}  // namespace sabir::python
