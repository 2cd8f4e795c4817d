// Requests to the control store, and its answers, as parts of schema/cluster.capnp. For cluster_wire.cc, as
// wire_convert.h.
#pragma once

#include "runtime/base/result.h"
#include "runtime/node/cluster/control_requests.h"
#include "schema/cluster.capnp.h"

namespace sabir::cluster {

Result<ControlRequest> read_control_request(schema::ControlRequest::Reader from);
void write_control_request(const ControlRequest& from, schema::ControlRequest::Builder to);
Result<ControlAnswer> read_control_answer(schema::ControlAnswer::Reader from);
void write_control_answer(const ControlAnswer& from, schema::ControlAnswer::Builder to);

}  // namespace sabir::cluster
