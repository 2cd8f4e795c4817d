// The values of the scenarios, by their names, as C++ writes them. Caller and callee make them both.
#pragma once

#include <map>
#include <string>

#include "sabir/sabir.hpp"

namespace conformance {

// Throws std::out_of_range if there is none of this name.
sabir::Value sample(const std::string& name);

const std::map<std::string, sabir::Value (*)()>& samples();

// Bytes in which a shift, a gap or a repeated block shows.
sabir::Bytes pattern(size_t size);

}  // namespace conformance
