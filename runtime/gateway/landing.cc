#include "runtime/gateway/landing.h"

#include <utility>

#include "runtime/client/relay.h"

namespace sabir::gateway {

Result<std::shared_ptr<Landing>> Landing::make(client::Client& client, client::ValueHeader header, uint64_t size_bytes,
                                               int64_t wait_ns) {
  std::shared_ptr<Landing> landing(new Landing(client));
  void* destination = nullptr;
  client::Core& core = client.core();
  SABIR_ASSIGN_OR_RETURN(landing->builder_, core.objects->build(header, size_bytes, wait_ns, &destination));
  landing->destination_ = {static_cast<uint8_t*>(destination), size_bytes};
  const client::Builder& builder = *landing->builder_;
  if (builder.small != nullptr) {
    landing->mapping_ = client::retain(builder.small);
    landing->bytes_ = landing->destination_;
    return landing;
  }
  uint64_t prefix = client::value_prefix_bytes(0, client::kStoreAlignment);
  Result<std::span<const uint8_t>> bytes = core.self.objects().view(builder.placement.offset() + prefix, size_bytes);
  Result<client::Future*> mapping = client::Relay(client).make_value({}, {}, {}, 0);
  if (!bytes.ok() || !mapping.ok()) {
    landing->give_back();
    return bytes.ok() ? std::move(mapping).error() : std::move(bytes).error();
  }
  landing->bytes_ = *bytes;
  landing->mapping_ = *mapping;
  return landing;
}

Landing::~Landing() {
  give_back();
  if (sealed_ != nullptr) {
    client::release(sealed_);
  }
  if (mapping_ != nullptr) {
    client::release(mapping_);
  }
}

Result<client::Future*> Landing::seal() {
  SABIR_ASSIGN_OR_RETURN(client::Future * sealed, client_.core().objects->seal(std::move(builder_)));
  sealed_ = client::retain(sealed);
  return sealed;
}

void Landing::begin_read() {
  std::lock_guard guard(lock_);
  ++readers_;
}

void Landing::end_read() {
  std::lock_guard guard(lock_);
  if (--readers_ == 0 && abandoned_) {
    give_back();
  }
}

void Landing::abandon() {
  std::lock_guard guard(lock_);
  abandoned_ = true;
  if (readers_ == 0) {
    give_back();
  }
}

void Landing::abandon_now() {
  std::lock_guard guard(lock_);
  give_back();
}

void Landing::give_back() {
  if (builder_ != nullptr) {
    client_.core().objects->abandon(std::move(builder_));
  }
}

}  // namespace sabir::gateway
