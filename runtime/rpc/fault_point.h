// Fault points of the control channel: a test (or an armed sabird) loses and delays answers on purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "runtime/base/result.h"

namespace sabir::rpc {

enum class FaultAction : uint8_t {
  kNone = 0,
  kDropRequest,  // as if it had never arrived
  kDropReply,    // executed, but the answer is lost
  kDelayReply,   // the answer waits delay_ns
  kClose,        // executed, and the connection breaks instead of an answer
};

struct Fault {
  FaultAction action = FaultAction::kNone;
  int64_t delay_ns = 0;
};

// Asked once for each call that arrives, with the method's name as in session.capnp. Empty: no faults.
using FaultPoint = std::function<Fault(std::string_view method)>;

// A plan in text, for an environment variable or a flag: rules "METHOD=ACTION[*COUNT][:MILLISECONDS]" separated by
// commas; METHOD may be "*"; ACTION is drop_request, drop_reply, delay_reply or close; a rule without COUNT holds for
// ever. The first rule that fits and is not used up decides.
Result<FaultPoint> parse_fault_plan(std::string_view plan);

}  // namespace sabir::rpc
