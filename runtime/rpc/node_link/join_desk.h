// How a node becomes a member: one question at the head, by a connection that its token has opened.
#pragma once

#include <capnp/capability.h>
#include <kj/async.h>

#include <functional>
#include <string>

#include "runtime/rpc/node_link/node_links.h"

namespace sabir::node_link {

// The head's side: `ask` gets the request of a joiner.
capnp::Capability::Client make_join_desk(std::function<kj::Promise<std::string>(std::string request)> ask);
// Refuses everything.
capnp::Capability::Client no_service(const char* why);

// The joiner's side. Calls one of both, once, unless the links go first.
void join_cluster(NodeLinks& links, const JoinString& head, std::string request,
                  std::function<void(std::string answer)> joined, std::function<void(const std::string& why)> failed);

}  // namespace sabir::node_link
