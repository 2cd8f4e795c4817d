// References inside values. While a value is encoded, the references it mentions are collected and named by index;
// while it is decoded, an index finds its reference. Both are scoped and nest (a value's __reduce__ may submit calls).
#pragma once

#include <vector>

#include "sdk-python/native/state.h"

namespace sabir::python {

// Collects what is encoded on this thread until it ends. Retains what it collects.
class RefCollector {
 public:
  RefCollector();
  ~RefCollector();
  RefCollector(const RefCollector&) = delete;
  RefCollector& operator=(const RefCollector&) = delete;

  Py_ssize_t add(sabir_ref* ref);
  const std::vector<sabir_ref*>& refs() const { return refs_; }
  // Hands the references over: the caller releases them.
  std::vector<sabir_ref*> take() { return std::move(refs_); }

 private:
  RefCollector* outer_;
  std::vector<sabir_ref*> refs_;
};

// Gives indices their references on this thread until it ends.
class RefSource {
 public:
  RefSource(sabir_ref* const* refs, size_t count);
  ~RefSource();
  RefSource(const RefSource&) = delete;
  RefSource& operator=(const RefSource&) = delete;

  // A new reference, borrowed by nobody; null when out of range.
  sabir_ref* at(size_t index) const;

 private:
  RefSource* outer_;
  sabir_ref* const* refs_;
  size_t count_;
};

// Adds to this thread's collector; -1 with an error set if there is none.
Py_ssize_t collect_ref(sabir_ref* ref);
// The callable that pickle finds an index's ObjectRef with (`_sabir._ref_at`). Borrowed.
PyObject* ref_loader();
PyObject* ref_at(PyObject* module, PyObject* index);
PyObject* actor_at(PyObject* module, PyObject* index);
bool remember_ref_loader(PyObject* module);

}  // namespace sabir::python
