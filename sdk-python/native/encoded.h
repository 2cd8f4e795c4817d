// How an attempt to write a Python object in a form that all languages read has ended.
#pragma once

namespace sabir::python {

enum class Encoded {
  kDone,
  kUnsuitable,  // something only Python knows
  kError,       // a Python exception is set
};

}  // namespace sabir::python
