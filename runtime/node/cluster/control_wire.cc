#include "runtime/node/cluster/control_wire.h"

#include <utility>

#include "runtime/base/overloaded.h"
#include "runtime/node/cluster/wire_convert.h"
#include "runtime/rpc/convert.h"

namespace sabir::cluster {
namespace {

using rpc::data_of;
using rpc::text_of;

std::string cut(const std::string& text, size_t max_bytes) { return text.substr(0, max_bytes); }

Result<std::string> read_bytes(capnp::Data::Reader from, size_t max_bytes, const char* what) {
  if (from.size() > max_bytes) {
    return invalid_error(std::string("a cluster message with a ") + what + " that is too long");
  }
  return rpc::to_string(from);
}

Result<std::string> read_value_key(capnp::Data::Reader from) {
  if (from.size() == 0) {
    return invalid_error("a cluster message with an empty key");
  }
  return read_bytes(from, kMaxValueKeyBytes, "key");
}

Result<NamedActor> read_named(schema::NamedActor::Reader from) {
  NamedActor actor;
  SABIR_ASSIGN_OR_RETURN(actor.home, read_key(from.getHome()));
  actor.actor_id = rpc::to_string(from.getActorId());
  if (actor.actor_id.size() != IdBits::kSizeBytes || from.getClassInfo().size() > kMaxClassInfoBytes) {
    return invalid_error("a cluster message with an actor that is none");
  }
  SABIR_ASSIGN_OR_RETURN(actor.class_name, read_text(from.getClassName(), kMaxActorNameBytes, "class"));
  actor.class_info = rpc::to_string(from.getClassInfo());
  actor.language = from.getLanguage();
  actor.max_task_retries = from.getMaxTaskRetries();
  return actor;
}

void write_named(const NamedActor& from, schema::NamedActor::Builder to) {
  write_key(from.home, to.initHome());
  to.setActorId(data_of(from.actor_id));
  to.setClassName(text_of(cut(from.class_name, kMaxActorNameBytes)));
  to.setClassInfo(data_of(from.class_info));
  to.setLanguage(from.language);
  to.setMaxTaskRetries(from.max_task_retries);
}

Result<NameRequest> read_name(schema::NameRequest::Reader from) {
  NameRequest request;
  auto kind = static_cast<uint16_t>(from.getKind());
  if (kind > static_cast<uint16_t>(NameRequest::Kind::kFree)) {
    return unsupported_error("a cluster message with a word that this release does not know");
  }
  request.kind = static_cast<NameRequest::Kind>(kind);
  SABIR_ASSIGN_OR_RETURN(request.name.name_space, read_text(from.getNamespace(), kMaxActorNameBytes, "namespace"));
  SABIR_ASSIGN_OR_RETURN(request.name.name, read_text(from.getName(), kMaxActorNameBytes, "name"));
  if (request.kind != NameRequest::Kind::kFind) {
    SABIR_ASSIGN_OR_RETURN(request.actor, read_named(from.getActor()));
  }
  return request;
}

void write_name(const NameRequest& from, schema::NameRequest::Builder to) {
  to.setKind(static_cast<schema::NameRequest::Kind>(from.kind));
  to.setNamespace(text_of(from.name.name_space));
  to.setName(text_of(from.name.name));
  if (from.actor) {
    write_named(*from.actor, to.initActor());
  }
}

Result<std::string> read_job_id(capnp::Data::Reader from) {
  if (from.size() != IdBits::kSizeBytes) {
    return invalid_error("a cluster message with a job that is none");
  }
  return rpc::to_string(from);
}

Result<ClusterJob> read_job(schema::ClusterJob::Reader from) {
  ClusterJob job;
  SABIR_ASSIGN_OR_RETURN(job.id, read_job_id(from.getId()));
  SABIR_ASSIGN_OR_RETURN(job.name, read_text(from.getName(), kMaxJobNameBytes, "name"));
  SABIR_ASSIGN_OR_RETURN(job.name_space, read_text(from.getNamespace(), kMaxJobNameBytes, "namespace"));
  SABIR_ASSIGN_OR_RETURN(job.node, read_key(from.getNode()));
  SABIR_ASSIGN_OR_RETURN(job.end, read_text(from.getEnd(), kMaxJobEndBytes, "end"));
  job.driver_pid = from.getDriverPid();
  job.started_unix_ms = from.getStartedUnixMs();
  job.ended_unix_ms = from.getEndedUnixMs();
  return job;
}

void write_job(const ClusterJob& from, schema::ClusterJob::Builder to) {
  to.setId(data_of(from.id));
  to.setName(text_of(cut(from.name, kMaxJobNameBytes)));
  to.setNamespace(text_of(cut(from.name_space, kMaxJobNameBytes)));
  to.setDriverPid(from.driver_pid);
  write_key(from.node, to.initNode());
  to.setStartedUnixMs(from.started_unix_ms);
  to.setEndedUnixMs(from.ended_unix_ms);
  to.setEnd(text_of(cut(from.end, kMaxJobEndBytes)));
}

Result<ControlQuestion> read_question(schema::ControlRequest::Reader from) {
  switch (from.which()) {
    case schema::ControlRequest::NAME: {
      SABIR_ASSIGN_OR_RETURN(NameRequest name, read_name(from.getName()));
      return ControlQuestion(std::move(name));
    }
    case schema::ControlRequest::PUT_VALUE: {
      PutValue put{.overwrite = from.getPutValue().getOverwrite()};
      SABIR_ASSIGN_OR_RETURN(put.key, read_value_key(from.getPutValue().getKey()));
      SABIR_ASSIGN_OR_RETURN(put.value, read_bytes(from.getPutValue().getValue(), kMaxValueBytes, "value"));
      return ControlQuestion(std::move(put));
    }
    case schema::ControlRequest::GET_VALUE: {
      SABIR_ASSIGN_OR_RETURN(std::string key, read_value_key(from.getGetValue()));
      return ControlQuestion(GetValue{std::move(key)});
    }
    case schema::ControlRequest::ERASE_VALUE: {
      SABIR_ASSIGN_OR_RETURN(std::string key, read_value_key(from.getEraseValue()));
      return ControlQuestion(EraseValue{std::move(key)});
    }
    case schema::ControlRequest::LIST_KEYS: {
      ListKeys list{.limit = from.getListKeys().getLimit()};
      SABIR_ASSIGN_OR_RETURN(list.prefix, read_bytes(from.getListKeys().getPrefix(), kMaxValueKeyBytes, "prefix"));
      SABIR_ASSIGN_OR_RETURN(list.after, read_bytes(from.getListKeys().getAfter(), kMaxValueKeyBytes, "key"));
      if (list.limit == 0 || list.limit > kMaxListedKeys) {
        return invalid_error("a cluster message that asks for no keys, or for too many");
      }
      return ControlQuestion(std::move(list));
    }
    case schema::ControlRequest::DRAIN: {
      DrainNode drain{.deadline_ns = from.getDrain().getDeadlineNs()};
      SABIR_ASSIGN_OR_RETURN(drain.node, read_text(from.getDrain().getNode(), kMaxNodeNameBytes, "node"));
      if (drain.deadline_ns < -1) {
        return invalid_error("a cluster message with a time below zero");
      }
      return ControlQuestion(std::move(drain));
    }
    case schema::ControlRequest::START_JOB: {
      SABIR_ASSIGN_OR_RETURN(ClusterJob job, read_job(from.getStartJob()));
      return ControlQuestion(StartJob{std::move(job)});
    }
    case schema::ControlRequest::END_JOB: {
      EndJob job;
      SABIR_ASSIGN_OR_RETURN(job.id, read_job_id(from.getEndJob().getId()));
      SABIR_ASSIGN_OR_RETURN(job.end, read_text(from.getEndJob().getEnd(), kMaxJobEndBytes, "end"));
      return ControlQuestion(std::move(job));
    }
    case schema::ControlRequest::LIST_JOBS:
      return ControlQuestion(ListJobs{});
  }
  return unsupported_error("a request to the control store of a kind that this release does not know");
}

Result<ControlResult> read_result(schema::ControlAnswer::Reader from) {
  switch (from.which()) {
    case schema::ControlAnswer::DONE:
      return ControlResult(Done{});
    case schema::ControlAnswer::ACTOR: {
      SABIR_ASSIGN_OR_RETURN(NamedActor actor, read_named(from.getActor()));
      return ControlResult(std::move(actor));
    }
    case schema::ControlAnswer::FLAG:
      return ControlResult(from.getFlag());
    case schema::ControlAnswer::VALUE: {
      SABIR_ASSIGN_OR_RETURN(std::string value, read_bytes(from.getValue(), kMaxValueBytes, "value"));
      return ControlResult(std::move(value));
    }
    case schema::ControlAnswer::KEYS: {
      KeyList list;
      SABIR_ASSIGN_OR_RETURN(list.keys, read_list<std::string>(from.getKeys(), kMaxListedKeys, "keys", read_value_key));
      return ControlResult(std::move(list));
    }
    case schema::ControlAnswer::NODE: {
      SABIR_ASSIGN_OR_RETURN(NodeKey node, read_key(from.getNode()));
      return ControlResult(node);
    }
    case schema::ControlAnswer::JOBS: {
      JobList list;
      SABIR_ASSIGN_OR_RETURN(list.jobs, read_list<ClusterJob>(from.getJobs(), kMaxListedJobs, "jobs", read_job));
      return ControlResult(std::move(list));
    }
  }
  return unsupported_error("an answer of the control store of a kind that this release does not know");
}

}  // namespace

Result<ControlRequest> read_control_request(schema::ControlRequest::Reader from) {
  ControlRequest request{
      .number = from.getNumber(), .lowest_unanswered = from.getLowestUnanswered(), .epoch = from.getEpoch()};
  if (request.lowest_unanswered == 0 || request.lowest_unanswered > request.number) {
    return invalid_error("a cluster message with numbers of requests that cannot be");
  }
  SABIR_ASSIGN_OR_RETURN(request.what, read_question(from));
  return request;
}

void write_control_request(const ControlRequest& from, schema::ControlRequest::Builder to) {
  to.setNumber(from.number);
  to.setLowestUnanswered(from.lowest_unanswered);
  to.setEpoch(from.epoch);
  std::visit(Overloaded{[&](const NameRequest& name) { write_name(name, to.initName()); },
                        [&](const PutValue& put) {
                          auto out = to.initPutValue();
                          out.setKey(data_of(put.key));
                          out.setValue(data_of(put.value));
                          out.setOverwrite(put.overwrite);
                        },
                        [&](const GetValue& get) { to.setGetValue(data_of(get.key)); },
                        [&](const EraseValue& erase) { to.setEraseValue(data_of(erase.key)); },
                        [&](const ListKeys& list) {
                          auto out = to.initListKeys();
                          out.setPrefix(data_of(list.prefix));
                          out.setAfter(data_of(list.after));
                          out.setLimit(list.limit);
                        },
                        [&](const DrainNode& drain) {
                          to.initDrain().setNode(text_of(drain.node));
                          to.getDrain().setDeadlineNs(drain.deadline_ns);
                        },
                        [&](const StartJob& start) { write_job(start.job, to.initStartJob()); },
                        [&](const EndJob& end) {
                          auto out = to.initEndJob();
                          out.setId(data_of(end.id));
                          out.setEnd(text_of(cut(end.end, kMaxJobEndBytes)));
                        },
                        [&](const ListJobs&) { to.setListJobs(); }},
             from.what);
}

Result<ControlAnswer> read_control_answer(schema::ControlAnswer::Reader from) {
  ControlAnswer answer{.number = from.getNumber()};
  if (from.getFailure().getStatus() != 0) {
    SABIR_RETURN_IF_ERROR(read_text(from.getFailure().getMessage(), kMaxReasonBytes, "failure"));
    answer.failure = rpc::error_from(from.getFailure());
    return answer;
  }
  SABIR_ASSIGN_OR_RETURN(answer.result, read_result(from));
  return answer;
}

void write_control_answer(const ControlAnswer& from, schema::ControlAnswer::Builder to) {
  to.setNumber(from.number);
  if (from.failure) {
    rpc::write(Error(from.failure->kind(), cut(from.failure->message(), kMaxReasonBytes)), to.initFailure());
    return;
  }
  std::visit(
      Overloaded{[&](const Done&) { to.setDone(); },
                 [&](const NamedActor& actor) { write_named(actor, to.initActor()); },
                 [&](bool flag) { to.setFlag(flag); }, [&](const std::string& value) { to.setValue(data_of(value)); },
                 [&](const KeyList& list) {
                   auto out = to.initKeys(count(list.keys));
                   for (kj::uint i = 0; i < out.size(); ++i) {
                     out.set(i, data_of(list.keys[i]));
                   }
                 },
                 [&](const NodeKey& node) { write_key(node, to.initNode()); },
                 [&](const JobList& list) { write_list(list.jobs, to.initJobs(count(list.jobs)), write_job); }},
      from.result);
}

}  // namespace sabir::cluster
