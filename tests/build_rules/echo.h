// One Cap'n Proto call over a socket pair: what a shared library, an executable and a Python module
// must all be able to link.
#pragma once

namespace sabir::build_rules {

// Sends a text to itself and back; whether it came back.
bool echo_round_trip();

}  // namespace sabir::build_rules
