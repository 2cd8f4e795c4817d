#include "runtime/gateway/gateway.h"

#include <algorithm>
#include <utility>

#include "runtime/rpc/node_link/join_desk.h"

namespace sabir::gateway {

using node_link::Established;
using node_link::Failure;
using node_link::Fingerprint;
using node_link::Lane;
using node_link::LinkState;
using node_link::NodeKey;

namespace {

constexpr int64_t kSweepNs = 50 * kMillisecondNs;
constexpr int64_t kPortPatienceNs = 5 * kSecondNs;
constexpr int64_t kPortRetryNs = 50 * kMillisecondNs;
constexpr int64_t kOpenJobTimeoutNs = 30 * kSecondNs;

std::optional<Fingerprint> fingerprint_in(const std::string& bytes) {
  if (bytes.size() != Fingerprint::kSizeBytes) {
    return std::nullopt;
  }
  Fingerprint fingerprint;
  std::copy(bytes.begin(), bytes.end(), fingerprint.bytes.begin());
  return fingerprint;
}

std::string bytes_of(const std::optional<Fingerprint>& fingerprint) {
  return fingerprint ? std::string(fingerprint->bytes.begin(), fingerprint->bytes.end()) : std::string();
}

template <typename IdType>
IdType id_in(const std::string& bytes) {
  std::optional<IdBits> bits = IdBits::from_bytes(bytes);
  return bits ? IdType(*bits) : IdType();
}

}  // namespace

NodeKey key_of(const rpc::NodeKeyBytes& key) { return {id_in<node_link::NodeId>(key.id), key.incarnation}; }

Gateway::Gateway(loop::EventLoop& loop, Logger logger, std::string session_path, UniqueFd channel,
                 node_link::LocalNode self, std::function<void(const std::string& why)> on_end)
    : loop_(loop),
      logger_(std::move(logger)),
      session_path_(std::move(session_path)),
      on_end_(std::move(on_end)),
      kj_loop_(loop),
      local_(std::move(self)),
      self_(std::make_shared<Gateway*>(this)),
      objects_(clock_, [this](const auto& node, auto then) { find_link(node, std::move(then)); }),
      sweep_(loop, [this] { sweep(); }),
      listen_again_(loop, [this] { try_to_listen(); }),
      pipe_(
          loop, std::move(channel), [this](std::string_view message) { receive(message); },
          [this](const std::string& why) { on_end_("sabird is gone: " + why); }) {}

Gateway::~Gateway() noexcept {
  *self_ = nullptr;
  peers_.clear();
  retired_.clear();
  joiners_.clear();
  links_.reset();
}

void Gateway::receive(std::string_view message) {
  Result<rpc::ToGateway> decoded = rpc::decode_to_gateway(message);
  if (!decoded.ok()) {
    fail(decoded.error().message());
    return;
  }
  rpc::ToGateway& order = *decoded;
  if (auto* start = std::get_if<rpc::StartGateway>(&order)) {
    this->start(*start);
  } else if (auto* join = std::get_if<rpc::JoinCluster>(&order)) {
    this->join(*join);
  } else if (auto* admitted = std::get_if<rpc::Admitted>(&order)) {
    this->admitted(*admitted);
  } else if (auto* members = std::get_if<rpc::Members>(&order)) {
    learn(*members);
  } else if (auto* host = std::get_if<rpc::HostWorker>(&order)) {
    this->host(std::move(*host));
  } else if (auto* width = std::get_if<rpc::SetWidth>(&order)) {
    for (auto& [key, peer] : peers_) {
      peer->set_width(width->slot, width->calls);
    }
  } else if (auto* kill = std::get_if<rpc::KillRemoteActor>(&order)) {
    if (Peer* to = peer(key_of(kill->peer))) {
      to->kill_actor(*kill);
    }
  } else if (auto* between = std::get_if<rpc::Between>(&order)) {
    if (between->bytes.size() > rpc::kMaxNodeMessageBytes) {
      logger_.error("a word of ", between->bytes.size(), " bytes for another node manager is dropped");
    } else if (Peer* to = peer(key_of(between->peer))) {
      to->post(rpc::BetweenMessage{std::move(between->bytes), between->control});
    }
  } else if (auto* over = std::get_if<rpc::JobOver>(&order)) {
    for (auto& [key, peer] : peers_) {
      peer->end_job(over->job);
    }
  } else if (auto* answer = std::get_if<rpc::JoinAnswer>(&order)) {
    answer_joiner(*answer);
  }
}

void Gateway::fail(const std::string& why) {
  logger_.error(why);
  tell(rpc::GatewayFailed{why});
}

// --- Start

void Gateway::start(const rpc::StartGateway& start) {
  Result<void> prepared = prepare(start);
  if (!prepared.ok()) {
    fail(prepared.error().message());
    return;
  }
  start_ = start;
  listen_until_ns_ = clock_.now_ns() + (start.port != 0 ? kPortPatienceNs : 0);
  try_to_listen();
}

void Gateway::try_to_listen() {
  const rpc::StartGateway& start = start_;
  if (Result<void> listening = links_->listen({start.host, start.port}); !listening.ok()) {
    if (clock_.now_ns() < listen_until_ns_) {
      listen_again_.start_once(kPortRetryNs);  // who had the port before may be about to end
      return;
    }
    fail(listening.error().message());
    return;
  }
  std::optional<Fingerprint> own = identity_ ? std::optional(identity_->fingerprint()) : std::nullopt;
  rpc::Listening listening{{start.host, links_->address().port(), bytes_of(own)}, {}};
  if (!start.token.empty()) {
    node_link::JoinString join{{start.host, listening.address.port}, *node_link::Token::from_bytes(start.token), own};
    listening.join_string = join.text();
  }
  tell(listening);
}

Result<void> Gateway::prepare(const rpc::StartGateway& start) {
  local_.node = key_of(start.node);
  local_.cluster = id_in<node_link::ClusterId>(start.cluster_id);
  if (!start.insecure) {
    SABIR_ASSIGN_OR_RETURN(identity_, node_link::Identity::load_or_create(start.directory));
    SABIR_ASSIGN_OR_RETURN(tls_, node_link::TlsContext::create(*identity_));
  }
  if (!start.token.empty()) {
    std::optional<node_link::Token> token = node_link::Token::from_bytes(start.token);
    if (!token) {
      return invalid_error("a join token of the wrong size");
    }
    tokens_.add(*token, start.token_life_ns < 0 ? node_link::TokenBook::kNever : clock_.now_ns() + start.token_life_ns);
  }
  links_ = std::make_unique<node_link::NodeLinks>(loop_, kj_loop_, tls_ ? &*tls_ : nullptr, local_,
                                                  static_cast<node_link::Members&>(*this), tokens_, clock_,
                                                  static_cast<node_link::LinkHooks&>(*this), logger_);
  return {};
}

void Gateway::join(const rpc::JoinCluster& order) {
  Result<node_link::JoinString> head = node_link::JoinString::parse(order.join_string);
  if (!head.ok()) {
    fail(head.error().message());
    return;
  }
  if (head->fingerprint.has_value() != tls_.has_value()) {
    fail(tls_ ? "the cluster was started with --insecure: this node must ask for that, too"
              : "the cluster uses TLS: start this node without --insecure");
    return;
  }
  node_link::join_cluster(
      *links_, *head, order.request, [this](std::string answer) { tell(rpc::Joined{std::move(answer)}); },
      [this](const std::string& why) { fail("this node could not join: " + why); });
}

void Gateway::admitted(const rpc::Admitted& admitted) {
  local_.node.incarnation = admitted.incarnation;
  local_.cluster = id_in<node_link::ClusterId>(admitted.cluster_id);
  links_->end_join();
}

void Gateway::learn(const rpc::Members& members) {
  for (const rpc::ClusterMember& member : members.members) {
    rpc::ClusterMember& known = members_[member.key.id];
    if (member.key.incarnation < known.key.incarnation) {
      continue;
    }
    retire_peers([&](const rpc::NodeKeyBytes& key) {
      return key.id == member.key.id &&
             (key.incarnation < member.key.incarnation || (member.dead && key == member.key));
    });
    known = member;
    if (member.dead) {
      links_->fence(key_of(member.key));
    }
  }
}

// --- Peers

void Gateway::retire_peers(const std::function<bool(const rpc::NodeKeyBytes&)>& is_over) {
  for (auto entry = peers_.begin(); entry != peers_.end();) {
    if (!is_over(entry->first)) {
      ++entry;
      continue;
    }
    Peer* peer = entry->second.get();
    retired_.push_back(std::move(entry->second));
    entry = peers_.erase(entry);
    peer->retire([this, peer] { std::erase_if(retired_, [&](const auto& one) { return one.get() == peer; }); });
  }
}

Peer* Gateway::peer(const NodeKey& key) {
  rpc::NodeKeyBytes bytes = bytes_of(key);
  auto found = peers_.find(bytes);
  if (found != peers_.end()) {
    return found->second.get();
  }
  auto member = members_.find(bytes.id);
  if (member == members_.end() || member->second.key != bytes || member->second.dead) {
    return nullptr;
  }
  auto made = std::make_unique<Peer>(loop_, *links_, objects_, local_.node, key,
                                     Peer::Events{[this](const rpc::JobDefinition& job) { return open_job(job); },
                                                  [this, bytes](rpc::BetweenMessage words) {
                                                    tell(rpc::Between{bytes, std::move(words.bytes), words.control});
                                                  },
                                                  [this] {
                                                    if (!sweep_.active()) {
                                                      sweep_.start_once(kSweepNs);
                                                    }
                                                  }});
  return (peers_[bytes] = std::move(made)).get();
}

void Gateway::host(rpc::HostWorker order) {
  Peer* to = peer(key_of(order.peer));
  if (to == nullptr) {
    return;  // it is dead: sabird knows, and the launch comes to nothing
  }
  to->export_class(
      [path = session_path_, token = order.token, logger = logger_]() -> Result<std::unique_ptr<client::Client>> {
        Result<std::unique_ptr<client::Client>> worker = client::Client::start_worker(path, token);
        if (!worker.ok()) {
          logger.info("a worker for another node did not join: ", worker.error().to_string());
        }
        return worker;
      },
      {.width = order.width, .resources = std::move(order.resources), .scheduling = std::move(order.scheduling)});
}

void Gateway::sweep() {
  for (auto& [key, peer] : peers_) {
    peer->sweep();
  }
}

Result<std::shared_ptr<client::Client>> Gateway::open_job(const rpc::JobDefinition& job) {
  std::lock_guard guard(jobs_lock_);
  std::weak_ptr<client::Client>& known = jobs_[job.id];
  if (std::shared_ptr<client::Client> client = known.lock()) {
    return client;
  }
  client::DriverOptions options;
  options.address = session_path_;
  options.job = job.config;
  options.job.id = job.id;
  options.timeout_ns = kOpenJobTimeoutNs;
  SABIR_ASSIGN_OR_RETURN(std::unique_ptr<client::Client> made, client::Client::start_driver(options));
  // Peers share it: the last one takes it away, and with it what lies in its memory.
  std::shared_ptr<client::Client> shared(made.release(), [this](client::Client* client) {
    objects_.leave(client);
    delete client;
  });
  known = shared;
  std::erase_if(jobs_, [](const auto& entry) { return entry.second.expired(); });
  return shared;
}

void Gateway::find_link(const rpc::NodeKeyBytes& node, std::function<void(std::shared_ptr<PeerLink>)> then) {
  loop_.post([self = self_, node, then = std::move(then)] {
    if (*self != nullptr) {
      Peer* known = (*self)->peer(key_of(node));
      then(known != nullptr ? known->link() : nullptr);
    }
  });
}

// --- Joining

void Gateway::answer_joiner(const rpc::JoinAnswer& answer) {
  auto found = joiners_.find(answer.number);
  if (found != joiners_.end()) {
    found->second->fulfill(std::string(answer.bytes));
    joiners_.erase(found);
  }
}

capnp::Capability::Client Gateway::service_for_joiner(const Established& joiner) {
  rpc::JoinRequest request;
  request.fingerprint = bytes_of(joiner.fingerprint);
  request.host = joiner.address.text();
  request.host = request.host.substr(0, request.host.rfind(':'));
  return node_link::make_join_desk([this, request](std::string bytes) mutable {
    auto answer = kj::newPromiseAndFulfiller<std::string>();
    request.number = next_joiner_++;
    request.bytes = std::move(bytes);
    joiners_.emplace(request.number, kj::mv(answer.fulfiller));
    tell(request);
    return kj::mv(answer.promise);
  });
}

// --- What the links ask

capnp::Capability::Client Gateway::service_for(const NodeKey& key) {
  Peer* known = peer(key);
  return known != nullptr ? known->service() : node_link::no_service("this node is no member here");
}

std::optional<node_link::PeerTarget> Gateway::target_of(const NodeKey& key) {
  auto member = members_.find(bytes_of(key).id);
  if (member != members_.end() && member->second.key.incarnation < key.incarnation) {
    // A later life of a node that has shown its certificate (knows): a head that was started again is heard of by this.
    learn({{{bytes_of(key), member->second.address, false}}});
  }
  if (member == members_.end() || member->second.key.incarnation != key.incarnation || member->second.dead) {
    return std::nullopt;
  }
  const rpc::NodeAddress& address = member->second.address;
  return node_link::PeerTarget{key, {address.host, address.port}, fingerprint_in(address.fingerprint)};
}

void Gateway::on_lane(const NodeKey& key, Lane lane, LinkState state, const Failure& why) {
  auto found = peers_.find(bytes_of(key));
  if (found == peers_.end()) {
    return;
  }
  found->second->on_lane(lane, state, why.message);
  if (lane == Lane::kCalls) {
    tell(rpc::LaneChange{bytes_of(key), state == LinkState::kUp, why.message});
  }
}

bool Gateway::knows(const NodeKey& node, const std::optional<Fingerprint>& fingerprint) const {
  auto member = members_.find(bytes_of(node).id);
  if (member == members_.end() || fingerprint_in(member->second.address.fingerprint) != fingerprint) {
    return false;
  }
  // Incarnations are the control store's to give: who has a later one, and the certificate, was let in.
  uint64_t known = member->second.key.incarnation;
  return node.incarnation > known || (node.incarnation == known && !member->second.dead);
}

bool Gateway::fenced(const NodeKey& node) const {
  auto member = members_.find(bytes_of(node).id);
  return member != members_.end() && (member->second.key.incarnation > node.incarnation ||
                                      (member->second.dead && member->second.key.incarnation >= node.incarnation));
}

}  // namespace sabir::gateway
