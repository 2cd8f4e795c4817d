// Not on the code path of the job.
#include "sabir/sabir.hpp"

namespace conformance {

std::string extra() { return "found"; }
SABIR_REMOTE(extra);

}  // namespace conformance
