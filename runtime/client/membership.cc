#include "runtime/client/membership.h"

#include <utility>

namespace sabir::client {
namespace {

// Finalizer of splitmix64: every bit of the input reaches every bit of the output.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

Result<std::unique_ptr<Membership>> Membership::join(std::unique_ptr<rpc::SessionClient> session, bool is_worker,
                                                     const Clock& clock) {
  rpc::WelcomeInfo& welcome = session->welcome();
  SABIR_ASSIGN_OR_RETURN(shm::NodeView node, shm::NodeView::map(welcome.node_fd.get()));
  SABIR_ASSIGN_OR_RETURN(shm::CallsView calls, shm::CallsView::map(welcome.calls_fd.get()));
  SABIR_ASSIGN_OR_RETURN(store::ObjectsView objects, store::ObjectsView::map(welcome.objects_fd.get()));
  if (welcome.process.slot == 0 || welcome.process.slot >= shm::kMaxProcesses) {
    return internal_error("the node gave this process no slot");
  }
  return std::unique_ptr<Membership>(
      new Membership(std::move(session), is_worker, clock, std::move(node), std::move(calls), std::move(objects)));
}

uint64_t Membership::uid_of(shm::SlotIndex slot, uint32_t incarnation) const {
  const shm::NodeHeader& header = node_.header();
  return mix(mix(header.session_id[0] ^ ((uint64_t{slot} << 32) | incarnation)) ^ header.session_id[1]);
}

}  // namespace sabir::client
