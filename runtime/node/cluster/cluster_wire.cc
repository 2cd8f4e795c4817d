#include "runtime/node/cluster/cluster_wire.h"

#include <capnp/message.h>

#include "runtime/node/cluster/control_wire.h"
#include "runtime/node/cluster/group_wire.h"
#include "runtime/node/cluster/wire_convert.h"
#include "runtime/rpc/convert.h"
#include "runtime/rpc/frame_codec.h"

namespace sabir::cluster {
namespace {

using rpc::text_of;
using Wire = schema::ClusterMessage;

constexpr rpc::FrameLimits kLimits{kMaxClusterMessageBytes, 16, 512};

std::string cut(const std::string& text, size_t max_bytes) { return text.substr(0, max_bytes); }

// An enumerator's number; kUnsupported: a later release's.
template <typename To, typename From>
Result<To> read_enum(From from, To last) {
  auto number = static_cast<uint16_t>(from);
  if (number > static_cast<uint16_t>(last)) {
    return unsupported_error("a cluster message with a word that this release does not know");
  }
  return static_cast<To>(number);
}

// --- Membership

Result<ClusterMessage> read_register(schema::RegisterRequest::Reader from) {
  RegisterRequest request;
  SABIR_ASSIGN_OR_RETURN(request.node_id, read_id<NodeId>(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(request.name, read_text(from.getName(), kMaxNodeNameBytes, "name"));
  SABIR_ASSIGN_OR_RETURN(request.host, read_text(from.getHost(), kMaxHostBytes, "host"));
  request.port = from.getPort();
  SABIR_ASSIGN_OR_RETURN(request.release, read_text(from.getRelease(), kMaxReleaseBytes, "release"));
  request.layout_hash = from.getLayoutHash();
  request.start_id = rpc::to_string(from.getStartId());
  if (request.start_id.size() != IdBits::kSizeBytes) {
    return invalid_error("a cluster message with a start that is none");
  }
  return ClusterMessage(std::move(request));
}

void write(const RegisterRequest& from, Wire::Builder message) {
  auto to = message.initRegisterRequest();
  to.setNode(id_data(from.node_id));
  to.setName(text_of(cut(from.name, kMaxNodeNameBytes)));
  to.setHost(text_of(from.host));
  to.setPort(from.port);
  to.setRelease(text_of(cut(from.release, kMaxReleaseBytes)));
  to.setLayoutHash(from.layout_hash);
  to.setStartId(rpc::data_of(from.start_id));
}

Result<ClusterMessage> read_register_answer(schema::RegisterAnswer::Reader from) {
  RegisterAnswer answer;
  if (from.getFailure().getStatus() != 0) {
    SABIR_RETURN_IF_ERROR(read_text(from.getFailure().getMessage(), kMaxReasonBytes, "failure"));
    answer.failure = rpc::error_from(from.getFailure());
    return ClusterMessage(std::move(answer));
  }
  answer.incarnation = from.getIncarnation();
  if (answer.incarnation == 0) {
    return invalid_error("a cluster message that admits a node without an incarnation");
  }
  answer.cluster_id = rpc::to_string(from.getClusterId());
  if (answer.cluster_id.size() != kClusterIdBytes) {
    return invalid_error("a cluster message with a cluster's id that is none");
  }
  SABIR_ASSIGN_OR_RETURN(answer.head, read_key(from.getHead()));
  answer.epoch = from.getEpoch();
  SABIR_ASSIGN_OR_RETURN(answer.members, read_members(from.getMembers()));
  return ClusterMessage(std::move(answer));
}

void write(const RegisterAnswer& from, Wire::Builder message) {
  auto to = message.initRegisterAnswer();
  if (from.failure) {
    rpc::write(Error(from.failure->kind(), cut(from.failure->message(), kMaxReasonBytes)), to.initFailure());
    return;
  }
  to.setIncarnation(from.incarnation);
  to.setClusterId(rpc::data_of(from.cluster_id));
  write_key(from.head, to.initHead());
  to.setEpoch(from.epoch);
  write_members(from.members, to.initMembers(count(from.members)));
}

Result<ClusterMessage> read_members_message(Wire::Members::Reader from) {
  MembersMessage message{.epoch = from.getEpoch(), .version = from.getVersion()};
  SABIR_ASSIGN_OR_RETURN(message.members, read_members(from.getMembers()));
  return ClusterMessage(std::move(message));
}

void write(const MembersMessage& from, Wire::Builder message) {
  auto to = message.initMembers();
  to.setEpoch(from.epoch);
  to.setVersion(from.version);
  write_members(from.members, to.initMembers(count(from.members)));
}

void write(const Heartbeat& from, Wire::Builder message) {
  auto to = message.initHeartbeat();
  to.setSequence(from.sequence);
  to.setEpoch(from.members_epoch);
  to.setVersion(from.members_version);
}

void write(const HeartbeatAnswer& from, Wire::Builder message) {
  message.initHeartbeatAnswer().setSequence(from.sequence);
}

Result<ClusterMessage> read_leaving(Wire::Leaving::Reader from) {
  SABIR_ASSIGN_OR_RETURN(std::string reason, read_text(from.getReason(), kMaxReasonBytes, "reason"));
  return ClusterMessage(Leaving{std::move(reason)});
}

void write(const Leaving& from, Wire::Builder message) {
  message.initLeaving().setReason(text_of(cut(from.reason, kMaxReasonBytes)));
}

// --- View

void write(const NodeReport& from, Wire::Builder message) { write_report(from, message.initNodeReport()); }

Result<ClusterMessage> read_report_answer(Wire::ReportAnswer::Reader from) {
  SABIR_ASSIGN_OR_RETURN(ReportAnswer answer, read_enum(from.getAnswer(), ReportAnswer::kFenced));
  return ClusterMessage(ReportAnswerMessage{from.getVersion(), answer});
}

void write(const ReportAnswerMessage& from, Wire::Builder message) {
  auto to = message.initReportAnswer();
  to.setVersion(from.version);
  to.setAnswer(static_cast<schema::ReportAnswer>(from.answer));
}

void write(const ViewBatch& from, Wire::Builder message) { write_batch(from, message.initViewBatch()); }

void write(const ViewPosition& from, Wire::Builder message) {
  auto to = message.initViewPosition();
  to.setEpoch(from.epoch);
  to.setVersion(from.version);
}

// --- Leases

// All of them name a pair of nodes.
template <typename T, typename Reader>
Result<void> read_pair(Reader from, T& to) {
  SABIR_ASSIGN_OR_RETURN(to.client, read_key(from.getClient()));
  SABIR_ASSIGN_OR_RETURN(to.server, read_key(from.getServer()));
  return {};
}

template <typename T, typename Builder>
void write_pair(const T& from, Builder to) {
  write_key(from.client, to.initClient());
  write_key(from.server, to.initServer());
}

Result<uint32_t> check_slots(uint32_t slots) {
  if (slots > kMaxSlotsOfLease) {
    return invalid_error("a cluster message with too many slots of a lease");
  }
  return slots;
}

Result<int64_t> check_duration(int64_t duration_ns) {
  if (duration_ns < 0) {
    return invalid_error("a cluster message with a time below zero");
  }
  return duration_ns;
}

Result<Placement> read_placement(schema::LeaseRequest::Reader from) {
  Placement placement{.bundle = from.getBundle(), .capture_child_calls = from.getCaptureChildCalls()};
  if (from.getGroup().size() != 0) {
    SABIR_ASSIGN_OR_RETURN(placement.group, read_id<GroupId>(from.getGroup()));
  }
  if (placement.bundle < Placement::kAnyBundle) {
    return invalid_error("a cluster message with a bundle below zero");
  }
  return placement;
}

Result<ClusterMessage> read_lease_request(schema::LeaseRequest::Reader from) {
  LeaseRequest request;
  SABIR_RETURN_IF_ERROR(read_pair(from, request));
  request.number = from.getNumber();
  request.what.token = from.getClass();
  request.what.job = from.getJob();
  request.what.language = from.getLanguage();
  SABIR_ASSIGN_OR_RETURN(request.what.resources, read_amounts(from.getResources()));
  SABIR_RETURN_IF_ERROR(node::check_request(request.what.resources));
  SABIR_ASSIGN_OR_RETURN(request.what.placement, read_placement(from));
  SABIR_ASSIGN_OR_RETURN(request.slots, check_slots(from.getSlots()));
  if (request.slots == 0) {
    return invalid_error("a cluster message that asks for no slots");
  }
  SABIR_ASSIGN_OR_RETURN(request.wait_ns, check_duration(from.getWaitNs()));
  return ClusterMessage(std::move(request));
}

void write(const LeaseRequest& from, Wire::Builder message) {
  auto to = message.initLeaseRequest();
  write_pair(from, to);
  to.setNumber(from.number);
  to.setClass(from.what.token);
  to.setJob(from.what.job);
  to.setLanguage(from.what.language);
  write_amounts(from.what.resources, to.initResources(count(from.what.resources)));
  if (from.what.placement.in_group()) {
    to.setGroup(id_data(from.what.placement.group));
  }
  to.setBundle(from.what.placement.bundle);
  to.setCaptureChildCalls(from.what.placement.capture_child_calls);
  to.setSlots(from.slots);
  to.setWaitNs(from.wait_ns);
}

Result<ClusterMessage> read_lease_answer(schema::LeaseAnswer::Reader from) {
  LeaseAnswer answer;
  SABIR_RETURN_IF_ERROR(read_pair(from, answer));
  answer.number = from.getNumber();
  SABIR_ASSIGN_OR_RETURN(answer.outcome, read_enum(from.getOutcome(), LeaseOutcome::kRefused));
  SABIR_ASSIGN_OR_RETURN(answer.slots, check_slots(from.getSlots()));
  SABIR_ASSIGN_OR_RETURN(answer.valid_ns, check_duration(from.getValidNs()));
  SABIR_ASSIGN_OR_RETURN(answer.reason, read_text(from.getReason(), kMaxReasonBytes, "reason"));
  if (from.hasReport()) {
    SABIR_ASSIGN_OR_RETURN(answer.report, read_report(from.getReport()));
  }
  return ClusterMessage(std::move(answer));
}

void write(const LeaseAnswer& from, Wire::Builder message) {
  auto to = message.initLeaseAnswer();
  write_pair(from, to);
  to.setNumber(from.number);
  to.setOutcome(static_cast<schema::LeaseOutcome>(from.outcome));
  to.setSlots(from.slots);
  to.setValidNs(from.valid_ns);
  to.setReason(text_of(cut(from.reason, kMaxReasonBytes)));
  if (from.report) {
    write_report(*from.report, to.initReport());
  }
}

template <typename Slots>
void write_slots(const std::vector<Slots>& from, capnp::List<schema::LeaseSlots>::Builder to) {
  write_list(from, to, [](const Slots& slots, schema::LeaseSlots::Builder out) {
    out.setNumber(slots.number);
    out.setSlots(slots.slots);
  });
}

Result<ClusterMessage> read_lease_status(schema::LeaseStatus::Reader from) {
  LeaseStatus status;
  SABIR_RETURN_IF_ERROR(read_pair(from, status));
  status.sequence = from.getSequence();
  status.next_lease = from.getNextLease();
  auto read_open = [](schema::LeaseSlots::Reader one) -> Result<LeaseStatus::Open> {
    if (one.getSlots() != LeaseStatus::kAsked) {
      SABIR_RETURN_IF_ERROR(check_slots(one.getSlots()));
    }
    return LeaseStatus::Open{one.getNumber(), one.getSlots()};
  };
  SABIR_ASSIGN_OR_RETURN(status.open,
                         read_list<LeaseStatus::Open>(from.getOpen(), kMaxLeasesOfClient, "leases", read_open));
  return ClusterMessage(std::move(status));
}

void write(const LeaseStatus& from, Wire::Builder message) {
  auto to = message.initLeaseStatus();
  write_pair(from, to);
  to.setSequence(from.sequence);
  to.setNextLease(from.next_lease);
  write_slots(from.open, to.initOpen(count(from.open)));
}

Result<ClusterMessage> read_lease_status_answer(schema::LeaseStatusAnswer::Reader from) {
  LeaseStatusAnswer answer;
  SABIR_RETURN_IF_ERROR(read_pair(from, answer));
  answer.sequence = from.getSequence();
  SABIR_ASSIGN_OR_RETURN(answer.valid_ns, check_duration(from.getValidNs()));
  auto read_held = [](schema::LeaseSlots::Reader one) -> Result<LeaseStatusAnswer::Held> {
    SABIR_RETURN_IF_ERROR(check_slots(one.getSlots()));
    return LeaseStatusAnswer::Held{one.getNumber(), one.getSlots()};
  };
  SABIR_ASSIGN_OR_RETURN(answer.held,
                         read_list<LeaseStatusAnswer::Held>(from.getHeld(), kMaxLeasesOfClient, "leases", read_held));
  return ClusterMessage(std::move(answer));
}

void write(const LeaseStatusAnswer& from, Wire::Builder message) {
  auto to = message.initLeaseStatusAnswer();
  write_pair(from, to);
  to.setSequence(from.sequence);
  to.setValidNs(from.valid_ns);
  write_slots(from.held, to.initHeld(count(from.held)));
}

Result<ClusterMessage> read_lease_recall(schema::LeaseRecall::Reader from) {
  LeaseRecall recall;
  SABIR_RETURN_IF_ERROR(read_pair(from, recall));
  recall.number = from.getNumber();
  SABIR_ASSIGN_OR_RETURN(recall.slots, check_slots(from.getSlots()));
  return ClusterMessage(recall);
}

void write(const LeaseRecall& from, Wire::Builder message) {
  auto to = message.initLeaseRecall();
  write_pair(from, to);
  to.setNumber(from.number);
  to.setSlots(from.slots);
}

void write(const ControlRequest& from, Wire::Builder message) {
  write_control_request(from, message.initControlRequest());
}

void write(const ControlAnswer& from, Wire::Builder message) {
  write_control_answer(from, message.initControlAnswer());
}

void write(const GroupMessage& from, Wire::Builder message) { write_group_message(from, message.initGroup()); }

// --- Output

Result<std::string> read_job_id(capnp::Data::Reader from) {
  if (from.size() != kJobIdBytes) {
    return invalid_error("a cluster message with a job's id that is none");
  }
  return rpc::to_string(from);
}

Result<ClusterMessage> read_log_lines(Wire::LogLines::Reader from) {
  LogLinesMessage message{.sequence = from.getSequence()};
  SABIR_ASSIGN_OR_RETURN(message.job_id, read_job_id(from.getJob()));
  size_t size_bytes = 0;
  for (auto one : from.getLines()) {
    size_bytes += one.getText().size() + one.getTaskName().size();
  }
  if (from.getLines().size() > kMaxLogEntries || size_bytes > kMaxLogBytes) {
    return invalid_error("a cluster message with too much output");
  }
  message.lines = rpc::read(from.getLines());
  return ClusterMessage(std::move(message));
}

void write(const LogLinesMessage& from, Wire::Builder message) {
  auto to = message.initLogLines();
  to.setJob(rpc::data_of(from.job_id));
  to.setSequence(from.sequence);
  write_list(from.lines, to.initLines(count(from.lines)),
             [](const rpc::LogLines& lines, schema::LogLines::Builder out) { rpc::write(lines, out); });
}

Result<ClusterMessage> read_log_answer(Wire::LogAnswer::Reader from) {
  SABIR_ASSIGN_OR_RETURN(std::string job_id, read_job_id(from.getJob()));
  return ClusterMessage(LogAnswer{std::move(job_id), from.getSequence()});
}

void write(const LogAnswer& from, Wire::Builder message) {
  auto to = message.initLogAnswer();
  to.setJob(rpc::data_of(from.job_id));
  to.setSequence(from.sequence);
}

// --- Actors that wait

template <typename Message, typename Reader>
Result<ClusterMessage> read_reclaim(Reader from) {
  Message message{rpc::to_string(from.getActor()), from.getIncarnation()};
  if (message.actor_id.size() != IdBits::kSizeBytes) {
    return invalid_error("a cluster message with an actor's id that is none");
  }
  return ClusterMessage(std::move(message));
}

template <typename Message, typename Builder>
void write_reclaim(const Message& from, Builder to) {
  to.setActor(rpc::data_of(from.actor_id));
  to.setIncarnation(from.incarnation);
}

void write(const ReclaimActor& from, Wire::Builder message) { write_reclaim(from, message.initReclaimActor()); }

void write(const ActorReclaimed& from, Wire::Builder message) { write_reclaim(from, message.initActorReclaimed()); }

// --- All kinds

template <typename T>
Result<ClusterMessage> as_message(Result<T> part) {
  if (!part.ok()) {
    return std::move(part).error();
  }
  return ClusterMessage(std::move(part).value());
}

Result<ClusterMessage> read_message(Wire::Reader from) {
  switch (from.which()) {
    case Wire::REGISTER_REQUEST:
      return read_register(from.getRegisterRequest());
    case Wire::REGISTER_ANSWER:
      return read_register_answer(from.getRegisterAnswer());
    case Wire::MEMBERS:
      return read_members_message(from.getMembers());
    case Wire::NODE_REPORT:
      return as_message(read_report(from.getNodeReport()));
    case Wire::REPORT_ANSWER:
      return read_report_answer(from.getReportAnswer());
    case Wire::VIEW_BATCH:
      return as_message(read_batch(from.getViewBatch()));
    case Wire::VIEW_POSITION:
      return ClusterMessage(ViewPosition{from.getViewPosition().getEpoch(), from.getViewPosition().getVersion()});
    case Wire::LEASE_REQUEST:
      return read_lease_request(from.getLeaseRequest());
    case Wire::LEASE_ANSWER:
      return read_lease_answer(from.getLeaseAnswer());
    case Wire::LEASE_STATUS:
      return read_lease_status(from.getLeaseStatus());
    case Wire::LEASE_STATUS_ANSWER:
      return read_lease_status_answer(from.getLeaseStatusAnswer());
    case Wire::LEASE_RECALL:
      return read_lease_recall(from.getLeaseRecall());
    case Wire::HEARTBEAT:
      return ClusterMessage(Heartbeat{from.getHeartbeat().getSequence(), from.getHeartbeat().getEpoch(),
                                      from.getHeartbeat().getVersion()});
    case Wire::HEARTBEAT_ANSWER:
      return ClusterMessage(HeartbeatAnswer{from.getHeartbeatAnswer().getSequence()});
    case Wire::LEAVING:
      return read_leaving(from.getLeaving());
    case Wire::RETIRED18:
    case Wire::RETIRED19:
      break;
    case Wire::CONTROL_REQUEST:
      return as_message(read_control_request(from.getControlRequest()));
    case Wire::CONTROL_ANSWER:
      return as_message(read_control_answer(from.getControlAnswer()));
    case Wire::LOG_LINES:
      return read_log_lines(from.getLogLines());
    case Wire::LOG_ANSWER:
      return read_log_answer(from.getLogAnswer());
    case Wire::GROUP: {
      SABIR_ASSIGN_OR_RETURN(GroupMessage message, read_group_message(from.getGroup()));
      return ClusterMessage(std::move(message));
    }
    case Wire::RECLAIM_ACTOR:
      return read_reclaim<ReclaimActor>(from.getReclaimActor());
    case Wire::ACTOR_RECLAIMED:
      return read_reclaim<ActorReclaimed>(from.getActorReclaimed());
  }
  return unsupported_error("a cluster message of a kind that this release does not know");
}

}  // namespace

std::string encode(const ClusterMessage& message) {
  capnp::MallocMessageBuilder builder;
  std::visit([root = builder.initRoot<Wire>()](const auto& one) { write(one, root); }, message);
  return rpc::frame_of(builder).substr(rpc::kFramePrefixBytes);
}

Result<ClusterMessage> decode_cluster_message(std::string_view bytes) {
  return rpc::decode_frame<Wire, ClusterMessage>(bytes, "a cluster message", kLimits,
                                                 [](auto root) { return read_message(root); });
}

}  // namespace sabir::cluster
