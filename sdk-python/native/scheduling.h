// Where something runs: sabir/_scheduling.py's tuple as sabir_scheduling.
#pragma once

#include <deque>
#include <vector>

#include "sdk-python/native/state.h"

namespace sabir::python {

// A list of (key, value), all texts. They stay owned by the list. False: a Python exception is set.
bool labels_of(PyObject* list, std::vector<sabir_label>* out);

// Holds what the sabir_scheduling points to, beside the texts, which stay in the tuple: keep that alive as well.
class SchedulingOf {
 public:
  SchedulingOf() = default;
  SchedulingOf(const SchedulingOf&) = delete;
  SchedulingOf& operator=(const SchedulingOf&) = delete;

  // (kind, node id, soft, labels, fallbacks, group id, bundle, capture), or None. False: a Python exception is set.
  bool read(PyObject* tuple);
  // NULL for None.
  const sabir_scheduling* get() const { return given_ ? &scheduling_ : nullptr; }

 private:
  bool given_ = false;
  sabir_scheduling scheduling_ = SABIR_SCHEDULING_INIT;
  std::vector<sabir_label> labels_;
  std::deque<std::vector<sabir_label>> fallback_labels_;  // deque: the arrays must not move
  std::vector<sabir_label_selector> fallbacks_;
};

}  // namespace sabir::python
