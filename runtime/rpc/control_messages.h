// What the head's sabird and its control store say to each other, in plain C++ (schema/control.capnp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/base/result.h"
#include "runtime/rpc/gateway_messages.h"

namespace sabir::rpc {

// --- to the control store
struct StartControl {
  std::string directory;
  bool durable = false;
  std::string cluster_id;
  std::string head_id;
  int64_t dead_after_ns = 0;
  bool must_exist = false;  // there was a file: none is no new beginning
};
// With JoinRequest of the gateway: number 0 is the head itself.
struct NodeWords {
  NodeKeyBytes node;  // who says it, or for whom it is
  std::string bytes;
};
using ToControl = std::variant<StartControl, JoinRequest, NodeWords>;

// --- from the control store
struct ControlReady {
  uint64_t epoch = 0;
};
struct ControlFailed {
  std::string why;
  bool is_final = false;  // another start would come to the same
  bool fenced = false;    // another control store has the file now
};
using FromControl = std::variant<ControlReady, ControlFailed, JoinAnswer, NodeWords>;

// Whole frames.
std::string encode(const ToControl& message);
std::string encode(const FromControl& message);
// Of the message behind the prefix. kInvalid: it is none.
Result<ToControl> decode_to_control(std::string_view bytes);
Result<FromControl> decode_from_control(std::string_view bytes);

}  // namespace sabir::rpc
