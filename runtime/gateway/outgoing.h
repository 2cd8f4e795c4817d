// Values of one client on their way to a peer.
#pragma once

#include <memory>

#include "runtime/abi/sabir.h"
#include "runtime/client/client.h"
#include "runtime/gateway/named_objects.h"
#include "runtime/gateway/peer_link.h"

namespace sabir::gateway {

// Any thread. Everything must outlive it.
class Outgoing {
 public:
  // READY events with a reference as their tag come to `promises` when something that was promised has its value: give
  // them to resolved().
  Outgoing(client::Client& client, PeerLink& link, NamedObjects& named, std::shared_ptr<client::EventQueue> promises)
      : client_(client), link_(link), named_(named), promises_(std::move(promises)) {}

  // `stored`: the object that the view is of, if its bytes lie in the store. kUnsupported: something in it does not
  // travel between nodes.
  Result<rpc::WireValue> write(const sabir_view& view, client::Future* stored, int depth = 0);
  // Of a ready reference.
  Result<rpc::WireValue> write(client::Future* ready, int depth = 0);

  void resolved(client::Future* promised);

  // Of a value that was written and is not posted: what it names is not kept for the peer.
  void take_back(const rpc::WireValue& value);
  // The client goes: the peer hears that what it alone had promised will not come. Nothing is written any more.
  void leave();

 private:
  Result<rpc::WireRef> write_ref(client::Future* ref, int depth);
  Result<rpc::WireRef> write_handle(client::Future* ref);

  client::Client& client_;
  PeerLink& link_;
  NamedObjects& named_;
  const std::shared_ptr<client::EventQueue> promises_;
};

// An error value made here, as it travels.
rpc::WireValue error_value(const Error& error);

// Of what does not fit in one message: code, or many small values.
Error too_large_error(const std::string& what);

}  // namespace sabir::gateway
