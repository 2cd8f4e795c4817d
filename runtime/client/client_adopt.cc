// References that cross from one client of a process to another: workers that share a process have memory in common, so
// a reference of one may turn up in a call of its neighbour.
#include "runtime/client/client.h"
#include "runtime/client/refs.h"
#include "runtime/client/value_format.h"

namespace sabir::client {

Result<Future*> Client::adopt(Future* ref) {
  if (ref->anchor == core_->anchor) {
    return retain(ref);
  }
  Client* owner = ref->anchor->client();
  if (owner == nullptr || owner->core_->self.welcome().job_id != core_->self.welcome().job_id) {
    return invalid_error("the reference belongs to an earlier session of this process");
  }
  SABIR_RETURN_IF_ERROR(check());
  // As on its way into a call, read at once: the caller's count keeps the owner's hold until this one's is written
  // (H2).
  SABIR_RETURN_IF_ERROR(owner->core_->refs->prepare({&ref, 1}));
  std::vector<uint8_t> wire;
  {
    Lock lock(owner->core_->lock);
    wire.resize(owner->core_->refs->wire_bytes(ref));
    Writer out(wire.data(), wire.size());
    owner->core_->refs->write_wire(out, ref);
    owner->core_->unlock(lock);
  }
  std::span<const uint8_t> table(wire);
  std::optional<ParsedRef> parsed = next_ref(table);
  SABIR_CHECK(parsed.has_value());
  Lock lock(core_->lock);
  Future* adopted = core_->refs->adopt(*parsed, HoldState::kOwn, nullptr);
  core_->unlock(lock);
  SABIR_CHECK(adopted != nullptr);
  return adopted;
}

}  // namespace sabir::client
