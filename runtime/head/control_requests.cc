// What nodes ask of the control store.
#include <memory>
#include <utility>

#include "runtime/base/hex.h"
#include "runtime/base/overloaded.h"
#include "runtime/head/control_service.h"

namespace sabir::head {

using cluster::ControlResult;
using cluster::NodeId;
using cluster::NodeKey;
using control::NodeRecord;
using control::NodeRef;
using control::NodeState;

namespace {

constexpr size_t kMinIdPrefix = 4;  // characters

control::NamedActor to_row(const cluster::NamedActor& actor) {
  return {ref_of(actor.home), actor.actor_id, actor.class_name,
          actor.class_info,   actor.language, actor.max_task_retries};
}

cluster::NamedActor from_row(const control::NamedActor& actor) {
  cluster::NamedActor named;
  named.home.id = NodeId(IdBits::from_bytes(actor.home.id).value_or(IdBits()));
  named.home.incarnation = actor.home.incarnation;
  named.actor_id = actor.actor_id;
  named.class_name = actor.class_name;
  named.class_info = actor.class_info;
  named.language = actor.language;
  named.max_task_retries = actor.max_task_retries;
  return named;
}

ControlResult flag_of(const std::string& reply) { return reply == "1"; }
ControlResult done_of(const std::string&) { return cluster::Done{}; }

Result<std::string> text_of(Result<bool> flag) {
  if (!flag.ok()) {
    return std::move(flag).error();
  }
  return std::string(*flag ? "1" : "0");
}

}  // namespace

void ControlService::answer(const NodeKey& to, uint64_t number, Result<ControlResult> result) {
  if (!result.ok() && result.error().kind() == ErrorKind::kDisconnected) {
    return;  // M5: the next life knows, or a later attempt waits
  }
  cluster::ControlAnswer answer{.number = number};
  if (result.ok()) {
    answer.result = *std::move(result);
  } else {
    answer.failure = result.error();
  }
  out_.say(to, answer);
}

ControlService::Answer ControlService::answer_to(const NodeKey& to, uint64_t number,
                                                 std::function<ControlResult(std::string)> result) {
  return [this, to, number, result = std::move(result)](Result<std::string> reply) {
    answer(to, number, reply.ok() ? Result<ControlResult>(result(*std::move(reply))) : std::move(reply).error());
  };
}

void ControlService::on_request(const NodeKey& from, cluster::ControlRequest request) {
  if (!is_for_this_life(from, request.epoch)) {
    return;
  }
  if (living_member(from)->dying) {
    return;  // what it asks for would outlive it
  }
  NodeRef ref = ref_of(from);
  control::RequestKey key{ref.id + control::number_key(ref.incarnation), request.number, request.lowest_unanswered};
  uint64_t number = request.number;
  control::KeyValue& values = store_.key_value();
  std::visit(
      Overloaded{
          [&](const cluster::NameRequest& name) { on_name(from, key, name); },
          [&](const cluster::PutValue& put) {
            requests_.change(
                key, [&values, put] { return text_of(values.put(put.key, put.value, put.overwrite)); },
                answer_to(from, number, flag_of));
          },
          [&](const cluster::GetValue& get) {
            requests_.read([&values, get] { return values.get(get.key); },
                           answer_to(from, number, [](std::string value) { return ControlResult(std::move(value)); }));
          },
          [&](const cluster::EraseValue& erase) {
            requests_.change(
                key, [&values, erase] { return text_of(values.erase(erase.key)); }, answer_to(from, number, flag_of));
          },
          [&](const cluster::ListKeys& list) { list_keys(from, number, list); },
          [&](const cluster::DrainNode& node) { drain(from, key, node); },
          [&](const cluster::StartJob& start) { on_job(from, key, start); },
          [&](const cluster::EndJob& end) { on_job(from, key, end); },
          [&](const cluster::ListJobs&) { list_jobs(from, number); },
      },
      request.what);
}

void ControlService::list_keys(const NodeKey& from, uint64_t number, const cluster::ListKeys& list) {
  auto found = std::make_shared<cluster::KeyList>();
  requests_.read(
      [this, list, found] {
        found->keys = store_.key_value().list(list.prefix, list.after, list.limit);
        return std::string();
      },
      answer_to(from, number, [found](const std::string&) { return ControlResult(*found); }));
}

// --- Names of actors

void ControlService::on_name(const NodeKey& from, const control::RequestKey& key, const cluster::NameRequest& request) {
  control::ActorName name{request.name.name_space, request.name.name};
  switch (request.kind) {
    case cluster::NameRequest::Kind::kFind:
      return find_name(from, key.id, request.name);
    case cluster::NameRequest::Kind::kFree:
      return requests_.change(
          key,
          [this, name, id = request.actor->actor_id]() -> Result<std::string> {
            SABIR_RETURN_IF_ERROR(store_.names().free(name, id));
            return std::string();
          },
          answer_to(from, key.id, done_of));
    case cluster::NameRequest::Kind::kTake:
      break;
  }
  auto take = [this, name, actor = *request.actor, from]() -> Result<std::string> {
    if (actor.home != from) {
      return invalid_error("a node gives names to its own actors alone");
    }
    SABIR_RETURN_IF_ERROR(store_.names().take(name, to_row(actor)));
    return std::string();
  };
  requests_.change(key, take, [this, from, number = key.id, request](Result<std::string> taken) {
    if (!taken.ok() && taken.error().kind() == ErrorKind::kAlreadyExists) {
      return find_name(from, number, request.name);  // whose it is
    }
    answer(from, number, taken.ok() ? Result<ControlResult>(*request.actor) : std::move(taken).error());
  });
}

void ControlService::find_name(const NodeKey& from, uint64_t number, const cluster::ActorName& name) {
  auto found = std::make_shared<cluster::NamedActor>();
  requests_.read(
      [this, name, found]() -> Result<std::string> {
        const control::NamedActor* actor = store_.names().find({name.name_space, name.name});
        if (actor == nullptr) {
          return not_found_error("no actor named " + name.name + " in namespace " + name.name_space);
        }
        *found = from_row(*actor);
        return std::string();
      },
      answer_to(from, number, [found](const std::string&) { return ControlResult(*found); }));
}

// --- Jobs

void ControlService::on_job(const NodeKey& from, const control::RequestKey& key, const cluster::StartJob& start) {
  auto work = [this, from, job = start.job]() -> Result<std::string> {
    if (job.node != from) {
      return invalid_error("a node speaks of the jobs of its own drivers alone");
    }
    control::JobRecord record;
    record.id = job.id;
    record.name = job.name;
    record.name_space = job.name_space;
    record.driver_pid = job.driver_pid;
    record.node = ref_of(from);
    record.started_unix_ms = options_.unix_ms();
    SABIR_RETURN_IF_ERROR(store_.jobs().add(std::move(record)));
    return std::string();
  };
  requests_.change(key, work, answer_to(from, key.id, done_of));
}

void ControlService::on_job(const NodeKey& from, const control::RequestKey& key, const cluster::EndJob& end) {
  auto work = [this, ref = ref_of(from), end]() -> Result<std::string> {
    const control::JobRecord* job = store_.jobs().find_id(end.id);
    if (job != nullptr && job->node == ref) {
      SABIR_RETURN_IF_ERROR(store_.jobs().end(job->number, options_.unix_ms(), end.end));
    }
    return std::string();
  };
  requests_.change(key, work, answer_to(from, key.id, done_of));
}

void ControlService::list_jobs(const NodeKey& from, uint64_t number) {
  auto found = std::make_shared<cluster::JobList>();
  requests_.read(
      [this, found] {
        found->jobs.clear();
        for (const control::JobRecord* record : store_.jobs().all()) {
          cluster::ClusterJob& job = found->jobs.emplace_back();
          job.id = record->id;
          job.name = record->name;
          job.name_space = record->name_space;
          job.driver_pid = record->driver_pid;
          job.node = {NodeId(IdBits::from_bytes(record->node.id).value_or(IdBits())), record->node.incarnation};
          job.started_unix_ms = record->started_unix_ms;
          job.ended_unix_ms = record->ended_unix_ms;
          job.end = record->end;
        }
        return std::string();
      },
      answer_to(from, number, [found](const std::string&) { return ControlResult(*found); }));
}

// --- Draining

Result<NodeRef> ControlService::find_to_drain(const std::string& node) const {
  std::vector<const NodeRecord*> found;
  for (const NodeRecord* record : store_.nodes().all()) {
    bool by_id = node.size() >= kMinIdPrefix && to_hex(record->spec.id).starts_with(node);
    if (record->state != NodeState::kDead && (record->spec.name == node || by_id)) {
      found.push_back(record);
    }
  }
  if (found.empty()) {
    return not_found_error("no living node has the name, or an id that begins with, " + node);
  }
  if (found.size() > 1) {
    return invalid_error(std::to_string(found.size()) + " nodes have the name, or ids that begin with, " + node +
                         ": say more of the id");
  }
  if (found.front()->spec.id == ref_of({options_.head, 1}).id) {
    return invalid_error("this is the head, which keeps the cluster together: it cannot be drained, but stopped");
  }
  return found.front()->ref();
}

void ControlService::drain(const NodeKey& from, const control::RequestKey& key, const cluster::DrainNode& drain) {
  int64_t until_unix_ms =
      drain.deadline_ns < 0 ? 0 : std::max<int64_t>(1, unix_ms() + drain.deadline_ns / kMillisecondNs);
  auto work = [this, drain, until_unix_ms]() -> Result<std::string> {
    SABIR_ASSIGN_OR_RETURN(NodeRef node, find_to_drain(drain.node));
    SABIR_RETURN_IF_ERROR(store_.nodes().drain(node, "somebody asked for it", until_unix_ms));
    return control::RecordWriter(1).text(node.id).number(node.incarnation).number(until_unix_ms).take();
  };
  requests_.change(key, work, [this, from, number = key.id](Result<std::string> reply) {
    if (!reply.ok()) {
      return answer(from, number, std::move(reply).error());
    }
    control::RecordReader in(*reply, 1);
    NodeRef node = NodeRef::read(in);
    auto until = in.number<int64_t>();
    drained(node, until);
    answer(from, number, ControlResult(NodeKey{NodeId(*IdBits::from_bytes(node.id)), node.incarnation}));
  });
}

void ControlService::drained(const NodeRef& node, int64_t until_unix_ms) {
  Member* member = living_member({NodeId(*IdBits::from_bytes(node.id)), node.incarnation});
  if (member == nullptr || (member->info.draining && member->drain_until_unix_ms == until_unix_ms)) {
    return;
  }
  logger_.info("node ", member->info.name, " (", cluster::describe(member->info.node), ") is drained");
  member->info.draining = true;
  member->drain_until_unix_ms = until_unix_ms;
  members_changed();
}

}  // namespace sabir::head
