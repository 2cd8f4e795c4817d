#include "runtime/rpc/node_link/node_links.h"

#include <kj/debug.h>

#include <utility>

namespace sabir::node_link {

namespace {

kj::Exception exception_of(const Failure& failure) {
  return kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__, kj::str(failure.error().message().c_str()));
}

// Serves nobody.
capnp::Capability::Client no_service() { return KJ_EXCEPTION(UNIMPLEMENTED, "a joining node serves nothing"); }

}  // namespace

NodeLinks::NodeLinks(loop::EventLoop& loop, loop::KjLoop& kj_loop, const TlsContext* tls, const LocalNode& local,
                     const Members& members, const TokenBook& tokens, const Clock& token_clock, LinkHooks& hooks,
                     Logger logger, NodeLinksOptions options)
    : loop_(loop),
      kj_loop_(kj_loop),
      tls_(tls),
      local_(local),
      hooks_(hooks),
      logger_(std::move(logger)),
      options_(options),
      budget_(options.max_total_bytes),
      port_({loop, tls, local, members, tokens, token_clock, *this}, logger_, options.port),
      sweep_(loop, [this] {
        retired_links_.clear();
        retired_.clear();
      }) {}

NodeLinks::~NodeLinks() noexcept { end_join(); }

LinkContext NodeLinks::link_context() { return {loop_, kj_loop_, tls_, local_, hooks_, logger_, &budget_}; }

Result<NodeLink*> NodeLinks::link(const NodeKey& peer) {
  auto found = links_.find(peer.id);
  if (found != links_.end()) {
    uint64_t known = found->second->peer().node.incarnation;
    if (known == peer.incarnation) {
      return found->second.get();
    }
    if (known > peer.incarnation) {
      return disconnected_error("node " + peer.text() + " lives on as incarnation " + std::to_string(known));
    }
  }
  std::optional<PeerTarget> target = hooks_.target_of(peer);
  if (!target) {
    return not_found_error("node " + peer.text() + " is no member of the cluster");
  }
  fence({peer.id, peer.incarnation - 1});
  auto link = std::make_unique<NodeLink>(link_context(), std::move(*target), options_.link);
  return (links_[peer.id] = std::move(link)).get();
}

void NodeLinks::fence(const NodeKey& dead) {
  auto found = links_.find(dead.id);
  if (found == links_.end() || found->second->peer().node.incarnation > dead.incarnation) {
    return;
  }
  std::unique_ptr<NodeLink> link = std::move(found->second);
  links_.erase(found);
  link->close({Refusal::kFenced, "node " + link->peer().node.text() + " was declared dead"});
  retired_links_.push_back(std::move(link));
  sweep_.start_once(0);
}

Failure NodeLinks::on_offer(const NodeKey& peer, Lane lane, bool joiner) {
  if (joiner) {
    return joiners_.size() < options_.max_joiners ? Failure()
                                                  : Failure{Refusal::kOverloaded, "too many nodes join at once"};
  }
  auto found = link(peer);
  if (!found.ok()) {
    bool unknown = found.error().kind() == ErrorKind::kNotFound;
    return {unknown ? Refusal::kUnknownCertificate : Refusal::kFenced, found.error().message()};
  }
  return (*found)->offer(peer, lane);
}

void NodeLinks::on_accepted(Established established) {
  if (established.joiner) {
    return accept_joiner(std::move(established));
  }
  // Fenced since the offer: its connection goes.
  auto found = links_.find(established.peer.id);
  if (found != links_.end() && found->second->peer().node == established.peer) {
    found->second->accept(std::move(established));
  }
}

void NodeLinks::accept_joiner(Established established) {
  auto joiner = joiners_.emplace(joiners_.end());
  capnp::Capability::Client service = hooks_.service_for_joiner(established);
  *joiner = kj::heap<CallsConnection>(loop_, kj_loop_, std::move(established), false, kj::mv(service), &budget_,
                                      options_.link.calls, [this, joiner](const Failure&) {
                                        kj::Own<CallsConnection> ended = kj::mv(*joiner);
                                        joiners_.erase(joiner);
                                        retire(kj::mv(ended));
                                      });
}

void NodeLinks::retire(kj::Own<CallsConnection> connection) {
  connection->cut();
  retired_.push_back(kj::mv(connection));
  sweep_.start_once(0);
}

kj::Promise<NodeLinks::Joined> NodeLinks::join(const JoinString& head) {
  end_join();
  auto pair = kj::newPromiseAndFulfiller<Joined>();
  join_waiting_ = kj::mv(pair.fulfiller);
  if (head.fingerprint.has_value() != (tls_ != nullptr)) {
    on_joined(tls_ != nullptr ? Failure{Refusal::kNeedsPlain,
                                        "the join string is of a head without TLS, and nobody "
                                        "asked for --insecure here"}
                              : Failure{Refusal::kNeedsTls,
                                        "the join string is of a head with TLS, and this node was "
                                        "started with --insecure"},
              {});
    return kj::mv(pair.promise);
  }
  Hello hello{.min_version = local_.min_version,
              .max_version = local_.max_version,
              .release = local_.release,
              .node = {local_.node.id, 0},
              .token = std::string(head.token.bytes())};
  join_dial_ = std::make_unique<Dial>(
      loop_, DialTarget{head.address, tls_, head.fingerprint}, std::move(hello), options_.link.dial,
      [this](const Failure& failure, Established established) { on_joined(failure, std::move(established)); });
  return kj::mv(pair.promise);
}

void NodeLinks::on_joined(const Failure& failure, Established established) {
  std::unique_ptr<Dial> ended = std::move(join_dial_);
  join_failure_ = failure;
  auto waiting = kj::mv(KJ_ASSERT_NONNULL(join_waiting_));
  join_waiting_ = nullptr;
  if (failure.refusal != Refusal::kNone) {
    return waiting->reject(exception_of(failure));
  }
  Joined joined{established.peer, established.cluster, established.release, no_service()};
  join_connection_ = kj::heap<CallsConnection>(loop_, kj_loop_, std::move(established), true, no_service(), &budget_,
                                               options_.link.calls, [this](const Failure&) { end_join(); });
  joined.service = join_connection_->peer_service();
  waiting->fulfill(kj::mv(joined));
}

void NodeLinks::end_join() {
  join_dial_.reset();
  if (join_connection_.get() != nullptr) {
    retire(kj::mv(join_connection_));
  }
  KJ_IF_MAYBE (waiting, join_waiting_) {
    waiting->get()->reject(exception_of({Refusal::kClosing, "given up here"}));
    join_waiting_ = nullptr;
  }
}

}  // namespace sabir::node_link
