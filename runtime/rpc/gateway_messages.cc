#include "runtime/rpc/gateway_messages.h"

#include <capnp/message.h>

#include "runtime/base/overloaded.h"
#include "runtime/rpc/convert.h"
#include "runtime/rpc/frame_codec.h"
#include "schema/gateway.capnp.h"

namespace sabir::rpc {
namespace {

constexpr FrameLimits kLimits{64 << 20, 16, 512};

NodeKeyBytes read_key(schema::NodeKey::Reader from) { return {to_string(from.getId()), from.getIncarnation()}; }
void write_key(const NodeKeyBytes& from, schema::NodeKey::Builder to) {
  to.setId(data_of(from.id));
  to.setIncarnation(from.incarnation);
}

ClusterMember read_member(schema::ClusterMember::Reader from) {
  auto address = from.getAddress();
  return {read_key(from.getKey()),
          {to_string(address.getHost()), address.getPort(), to_string(address.getFingerprint())},
          from.getDead()};
}
void write_member(const ClusterMember& from, schema::ClusterMember::Builder to) {
  write_key(from.key, to.initKey());
  auto address = to.initAddress();
  address.setHost(text_of(from.address.host));
  address.setPort(from.address.port);
  address.setFingerprint(data_of(from.address.fingerprint));
  to.setDead(from.dead);
}

template <typename Reader>
Between read_between(Reader from) {
  return {read_key(from.getPeer()), to_string(from.getBytes()), from.getControl()};
}
template <typename Builder>
void write_between(const Between& from, Builder to) {
  write_key(from.peer, to.initPeer());
  to.setBytes(data_of(from.bytes));
  to.setControl(from.control);
}

StartGateway read_start(schema::ToGateway::Start::Reader from) {
  StartGateway start;
  start.node = read_key(from.getNode());
  start.cluster_id = to_string(from.getClusterId());
  start.host = to_string(from.getHost());
  start.port = from.getPort();
  start.directory = to_string(from.getDirectory());
  start.insecure = from.getInsecure();
  start.token = to_string(from.getToken());
  start.token_life_ns = from.getTokenLifeNs();
  return start;
}
void write_start(const StartGateway& from, schema::ToGateway::Start::Builder to) {
  write_key(from.node, to.initNode());
  to.setClusterId(data_of(from.cluster_id));
  to.setHost(text_of(from.host));
  to.setPort(from.port);
  to.setDirectory(text_of(from.directory));
  to.setInsecure(from.insecure);
  to.setToken(data_of(from.token));
  to.setTokenLifeNs(from.token_life_ns);
}

Result<ToGateway> read_to(schema::ToGateway::Reader from) {
  switch (from.which()) {
    case schema::ToGateway::START:
      return ToGateway(read_start(from.getStart()));
    case schema::ToGateway::JOIN:
      return ToGateway(JoinCluster{to_string(from.getJoin().getJoinString()), to_string(from.getJoin().getRequest())});
    case schema::ToGateway::ADMITTED:
      return ToGateway(Admitted{from.getAdmitted().getIncarnation(), to_string(from.getAdmitted().getClusterId())});
    case schema::ToGateway::MEMBERS: {
      Members members;
      for (auto member : from.getMembers()) {
        members.members.push_back(read_member(member));
      }
      return ToGateway(std::move(members));
    }
    case schema::ToGateway::HOST: {
      auto host = from.getHost();
      return ToGateway(HostWorker{to_string(host.getToken()), read_key(host.getPeer()), host.getWidth(),
                                  read(host.getResources()), read(host.getScheduling())});
    }
    case schema::ToGateway::WIDTH:
      return ToGateway(SetWidth{from.getWidth().getSlot(), from.getWidth().getCalls()});
    case schema::ToGateway::BETWEEN:
      return ToGateway(read_between(from.getBetween()));
    case schema::ToGateway::JOB_OVER:
      return ToGateway(JobOver{from.getJobOver()});
    case schema::ToGateway::JOIN_ANSWER:
      return ToGateway(JoinAnswer{from.getJoinAnswer().getNumber(), to_string(from.getJoinAnswer().getBytes())});
    case schema::ToGateway::KILL_ACTOR: {
      auto kill = from.getKillActor();
      return ToGateway(KillRemoteActor{read_key(kill.getPeer()),
                                       {kill.getSlot(), kill.getSlotIncarnation()},
                                       kill.getNoRestart(),
                                       kill.getAbandon()});
    }
  }
  return invalid_error("a message to the gateway of an unknown kind");
}

void write_to(const ToGateway& message, schema::ToGateway::Builder to) {
  std::visit(Overloaded{[&](const StartGateway& start) { write_start(start, to.initStart()); },
                        [&](const JoinCluster& join) {
                          to.initJoin().setJoinString(text_of(join.join_string));
                          to.getJoin().setRequest(data_of(join.request));
                        },
                        [&](const Admitted& admitted) {
                          to.initAdmitted().setIncarnation(admitted.incarnation);
                          to.getAdmitted().setClusterId(data_of(admitted.cluster_id));
                        },
                        [&](const Members& members) {
                          auto list = to.initMembers(static_cast<kj::uint>(members.members.size()));
                          for (kj::uint i = 0; i < list.size(); ++i) {
                            write_member(members.members[i], list[i]);
                          }
                        },
                        [&](const HostWorker& host) {
                          auto out = to.initHost();
                          out.setToken(text_of(host.token));
                          write_key(host.peer, out.initPeer());
                          out.setWidth(host.width);
                          write_all(host.resources, out.initResources(static_cast<kj::uint>(host.resources.size())));
                          if (!host.scheduling.is_default()) {
                            write(host.scheduling, out.initScheduling());
                          }
                        },
                        [&](const SetWidth& width) {
                          to.initWidth().setSlot(width.slot);
                          to.getWidth().setCalls(width.calls);
                        },
                        [&](const Between& between) { write_between(between, to.initBetween()); },
                        [&](const JobOver& over) { to.setJobOver(over.job); },
                        [&](const JoinAnswer& answer) {
                          to.initJoinAnswer().setNumber(answer.number);
                          to.getJoinAnswer().setBytes(data_of(answer.bytes));
                        },
                        [&](const KillRemoteActor& kill) {
                          auto out = to.initKillActor();
                          write_key(kill.peer, out.initPeer());
                          out.setSlot(kill.worker.slot);
                          out.setSlotIncarnation(kill.worker.incarnation);
                          out.setNoRestart(kill.no_restart);
                          out.setAbandon(kill.abandon);
                        }},
             message);
}

Result<FromGateway> read_from(schema::FromGateway::Reader from) {
  switch (from.which()) {
    case schema::FromGateway::LISTENING: {
      auto listening = from.getListening();
      return FromGateway(
          Listening{{to_string(listening.getHost()), listening.getPort(), to_string(listening.getFingerprint())},
                    to_string(listening.getJoinString())});
    }
    case schema::FromGateway::FAILED:
      return FromGateway(GatewayFailed{to_string(from.getFailed())});
    case schema::FromGateway::JOINED:
      return FromGateway(Joined{to_string(from.getJoined())});
    case schema::FromGateway::JOIN_REQUEST: {
      auto request = from.getJoinRequest();
      return FromGateway(JoinRequest{request.getNumber(), to_string(request.getBytes()),
                                     to_string(request.getFingerprint()), to_string(request.getHost())});
    }
    case schema::FromGateway::LANE:
      return FromGateway(
          LaneChange{read_key(from.getLane().getPeer()), from.getLane().getIsUp(), to_string(from.getLane().getWhy())});
    case schema::FromGateway::BETWEEN:
      return FromGateway(read_between(from.getBetween()));
  }
  return invalid_error("a message from the gateway of an unknown kind");
}

void write_from(const FromGateway& message, schema::FromGateway::Builder to) {
  std::visit(Overloaded{[&](const Listening& listening) {
                          auto out = to.initListening();
                          out.setHost(text_of(listening.address.host));
                          out.setPort(listening.address.port);
                          out.setFingerprint(data_of(listening.address.fingerprint));
                          out.setJoinString(text_of(listening.join_string));
                        },
                        [&](const GatewayFailed& failed) { to.setFailed(text_of(failed.why)); },
                        [&](const Joined& joined) { to.setJoined(data_of(joined.answer)); },
                        [&](const JoinRequest& request) {
                          auto out = to.initJoinRequest();
                          out.setNumber(request.number);
                          out.setBytes(data_of(request.bytes));
                          out.setFingerprint(data_of(request.fingerprint));
                          out.setHost(text_of(request.host));
                        },
                        [&](const LaneChange& lane) {
                          auto out = to.initLane();
                          write_key(lane.peer, out.initPeer());
                          out.setIsUp(lane.is_up);
                          out.setWhy(text_of(lane.why));
                        },
                        [&](const Between& between) { write_between(between, to.initBetween()); }},
             message);
}

}  // namespace

std::string encode(const ToGateway& message) {
  capnp::MallocMessageBuilder builder;
  write_to(message, builder.initRoot<schema::ToGateway>());
  return frame_of(builder);
}

std::string encode(const FromGateway& message) {
  capnp::MallocMessageBuilder builder;
  write_from(message, builder.initRoot<schema::FromGateway>());
  return frame_of(builder);
}

Result<ToGateway> decode_to_gateway(std::string_view bytes) {
  return decode_frame<schema::ToGateway, ToGateway>(bytes, "a message to the gateway", kLimits,
                                                    [](auto root) { return read_to(root); });
}

Result<FromGateway> decode_from_gateway(std::string_view bytes) {
  return decode_frame<schema::FromGateway, FromGateway>(bytes, "a message from the gateway", kLimits,
                                                        [](auto root) { return read_from(root); });
}

}  // namespace sabir::rpc
