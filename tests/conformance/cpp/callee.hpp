// A function of this suite by its name, in any language.
#pragma once

#include <string>

#include "sabir/sabir.hpp"

namespace conformance {

template <typename R>
sabir::detail::RemoteFunction<R, sabir::detail::AnyParameters> function_of(const std::string& language,
                                                                           const std::string& name) {
  if (language == "python") {
    return sabir::py_function<R>("conformance_callee", name);
  }
  if (language == "java") {
    return sabir::java_function<R>("conformance.Callee", name);
  }
  return sabir::cpp_function<R>(name);
}

}  // namespace conformance
