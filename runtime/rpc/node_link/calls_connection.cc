#include "runtime/rpc/node_link/calls_connection.h"

#include <kj/debug.h>

#include <utility>

namespace sabir::node_link {

namespace {

// As for every Cap'n Proto reader of the project.
constexpr int kNestingLimit = 64;

class PeerServer final : public schema::NodePeer::Server {
 public:
  explicit PeerServer(capnp::Capability::Client service) : service_(kj::mv(service)) {}

  kj::Promise<void> ping(PingContext) override { return kj::READY_NOW; }
  kj::Promise<void> service(ServiceContext context) override {
    context.getResults().setService(service_);
    return kj::READY_NOW;
  }

 private:
  capnp::Capability::Client service_;
};

capnp::ReaderOptions reader_options(const CallsOptions& options) {
  capnp::ReaderOptions reader;
  reader.traversalLimitInWords = options.max_message_bytes / sizeof(capnp::word);
  reader.nestingLimit = kNestingLimit;
  return reader;
}

// One of the two sides has to stop reading while it cannot write, so that answers do not pile up; were it both, they
// would wait for each other.
rpc::MessageLimits limits(const CallsOptions& options, bool dialed, rpc::MemoryBudget* budget) {
  return {.max_message_bytes = options.max_message_bytes,
          .max_open_questions = options.max_open_questions,
          .read_only_while_written = !dialed,
          .budget = budget};
}

schema::NodePeer::Client bootstrap(capnp::RpcSystem<capnp::rpc::twoparty::VatId>& rpc, bool dialed) {
  capnp::MallocMessageBuilder message;
  auto id = message.initRoot<capnp::rpc::twoparty::VatId>();
  id.setSide(dialed ? capnp::rpc::twoparty::Side::SERVER : capnp::rpc::twoparty::Side::CLIENT);
  return rpc.bootstrap(id).castAs<schema::NodePeer>();
}

WireStream make_stream(loop::KjLoop& kj_loop, std::unique_ptr<Wire> wire) {
  auto readiness = kj_loop.watch(wire->fd());
  return {std::move(wire), kj::mv(readiness)};
}

}  // namespace

CallsConnection::CallsConnection(loop::EventLoop& loop, loop::KjLoop& kj_loop, Established established, bool dialed,
                                 capnp::Capability::Client service, rpc::MemoryBudget* budget, CallsOptions options,
                                 std::function<void(Failure)> on_end)
    : peer_(established.peer),
      stream_(make_stream(kj_loop, std::move(established.wire))),
      messages_(stream_, limits(options, dialed, budget)),
      network_(messages_, dialed ? capnp::rpc::twoparty::Side::CLIENT : capnp::rpc::twoparty::Side::SERVER,
               reader_options(options)),
      rpc_(capnp::makeRpcServer(network_, kj::heap<PeerServer>(kj::mv(service)))),
      peer_node_(bootstrap(rpc_, dialed)),
      peer_service_(peer_node_.serviceRequest().send().getService()),
      keep_alive_(clock_, options.keep_alive),
      look_timer_(loop, [this] { look(); }),
      on_end_(std::move(on_end)),
      end_timer_(loop,
                 [this] {
                   if (auto callback = std::exchange(on_end_, nullptr)) {
                     callback(std::move(failure_));
                   }
                 }),
      gone_(network_.onDisconnect()
                .then(
                    [this] {
                      end({Refusal::kUnreachable, messages_.violation().empty()
                                                      ? "the connection ended"
                                                      : "the peer broke the protocol: " + messages_.violation()});
                    },
                    [this](kj::Exception&& exception) {
                      end({Refusal::kUnreachable, exception.getDescription().cStr()});
                    })
                .eagerlyEvaluate(nullptr)) {
  rpc_.setFlowLimit(options.max_call_bytes / sizeof(capnp::word));
  look_later();
}

// All connections look in the same moments, so that a process at rest with many of them wakes as for one.
void CallsConnection::look_later() {
  int64_t interval_ns = keep_alive_.look_interval_ns();
  look_timer_.start_once(interval_ns - clock_.now_ns() % interval_ns);
}

CallsConnection::~CallsConnection() noexcept(false) { cut(); }

void CallsConnection::cut() {
  on_end_ = nullptr;
  look_timer_.stop();
  stream_.cut();
}

void CallsConnection::look() {
  look_later();
  switch (keep_alive_.look({.read_bytes = stream_.read_bytes(),
                            .acknowledged_bytes = stream_.acknowledged_bytes(),
                            .writing = stream_.writing()})) {
    case KeepAlive::Action::kNone:
      break;
    case KeepAlive::Action::kPing:
      // Its failure is the connection's, of which gone_ tells.
      ping_ = peer_node_.pingRequest().send().ignoreResult().eagerlyEvaluate([](kj::Exception&&) {});
      break;
    case KeepAlive::Action::kDead:
      end({Refusal::kTimeout, "the peer has said nothing for too long"});
      break;
  }
}

void CallsConnection::end(Failure failure) {
  if (failure_.refusal == Refusal::kNone) {
    failure_ = std::move(failure);
    look_timer_.stop();
    end_timer_.start_once(0);
  }
}

}  // namespace sabir::node_link
