#include "runtime/rpc/convert.h"

#include <algorithm>

namespace sabir::rpc {

Error error_from(schema::Failure::Reader failure) {
  int32_t status = failure.getStatus();
  bool known = status >= static_cast<int32_t>(ErrorKind::kInvalid) && status <= static_cast<int32_t>(kLastErrorKind);
  return {known ? static_cast<ErrorKind>(status) : ErrorKind::kInternal, to_string(failure.getMessage())};
}

void write(const Error& error, schema::Failure::Builder to) {
  to.setStatus(static_cast<int32_t>(error.kind()));
  to.setMessage(text_of(error.message()));
}

Error error_from(const kj::Exception& exception) {
  std::string message(exception.getDescription().cStr());
  switch (exception.getType()) {
    case kj::Exception::Type::DISCONNECTED:
      return disconnected_error(std::move(message));
    case kj::Exception::Type::OVERLOADED:
      return exhausted_error(std::move(message));
    case kj::Exception::Type::UNIMPLEMENTED:
      return unsupported_error(std::move(message));
    case kj::Exception::Type::FAILED:
      break;
  }
  return internal_error(std::move(message));
}

std::vector<ResourceAmount> read(capnp::List<schema::Resource>::Reader from) {
  std::vector<ResourceAmount> resources;
  for (auto resource : from) {
    resources.push_back({to_string(resource.getName()), resource.getUnits()});
  }
  return resources;
}

void write(const ResourceAmount& from, schema::Resource::Builder to) {
  to.setName(text_of(from.name));
  to.setUnits(from.units);
}

JobConfig read(schema::JobConfig::Reader from) {
  JobConfig job;
  job.name = to_string(from.getName());
  job.name_space = to_string(from.getNamespace());
  for (auto env : from.getLanguageEnvs()) {
    LanguageEnv& to = job.language_envs.emplace_back();
    to.language = env.getLanguage();
    // A mode that a later version added is one that this one cannot start.
    auto mode = static_cast<uint16_t>(env.getMode());
    to.mode = mode <= static_cast<uint16_t>(LaunchMode::kExec) ? static_cast<LaunchMode>(mode) : LaunchMode::kNone;
    for (auto argument : env.getArgv()) {
      to.argv.push_back(to_string(argument));
    }
    to.slots_per_process = env.getSlotsPerProcess();
  }
  job.opaque = to_string(from.getOpaque());
  job.log_to_driver = from.getLogToDriver();
  job.language = from.getLanguage();
  job.id = to_string(from.getId());
  job.driver_node = to_string(from.getDriverNode());
  return job;
}

void write(const JobConfig& from, schema::JobConfig::Builder to) {
  to.setName(text_of(from.name));
  to.setNamespace(text_of(from.name_space));
  auto envs = to.initLanguageEnvs(static_cast<kj::uint>(from.language_envs.size()));
  for (kj::uint i = 0; i < envs.size(); ++i) {
    const LanguageEnv& env = from.language_envs[i];
    envs[i].setLanguage(env.language);
    envs[i].setMode(static_cast<schema::LanguageEnv::Mode>(env.mode));
    auto argv = envs[i].initArgv(static_cast<kj::uint>(env.argv.size()));
    for (kj::uint k = 0; k < argv.size(); ++k) {
      argv.set(k, text_of(env.argv[k]));
    }
    envs[i].setSlotsPerProcess(env.slots_per_process);
  }
  to.setOpaque(data_of(from.opaque));
  to.setLogToDriver(from.log_to_driver);
  to.setLanguage(from.language);
  if (!from.id.empty()) {
    to.setId(data_of(from.id));
  }
  if (!from.driver_node.empty()) {
    to.setDriverNode(data_of(from.driver_node));
  }
}

HostedActor read(schema::HostedActor::Reader from) {
  HostedActor actor;
  actor.present = from.getPresent();
  actor.actor = from.getActor();
  actor.incarnation = from.getIncarnation();
  actor.actor_id = to_string(from.getActorId());
  actor.class_function = from.getClassFunction();
  actor.args = to_string(from.getArgs());
  actor.max_concurrency = from.getMaxConcurrency();
  actor.name = to_string(from.getName());
  actor.class_info = to_string(from.getClassInfo());
  actor.class_name = to_string(from.getClassName());
  actor.imported = from.getImported();
  actor.scheduling = read(from.getScheduling());
  return actor;
}

void write(const HostedActor& from, schema::HostedActor::Builder to) {
  to.setPresent(from.present);
  to.setActor(from.actor);
  to.setIncarnation(from.incarnation);
  to.setActorId(data_of(from.actor_id));
  to.setClassFunction(from.class_function);
  to.setArgs(data_of(from.args));
  to.setMaxConcurrency(from.max_concurrency);
  to.setName(text_of(from.name));
  to.setClassInfo(data_of(from.class_info));
  to.setClassName(text_of(from.class_name));
  to.setImported(from.imported);
  if (!from.scheduling.is_default()) {
    write(from.scheduling, to.initScheduling());
  }
}

namespace {

LabelConditions read(capnp::List<schema::LabelCondition>::Reader from) {
  LabelConditions conditions;
  for (auto condition : from) {
    conditions.push_back({to_string(condition.getKey()), to_string(condition.getText())});
  }
  return conditions;
}

void write(const LabelConditions& from, capnp::List<schema::LabelCondition>::Builder to) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    to[i].setKey(text_of(from[i].key));
    to[i].setText(text_of(from[i].text));
  }
}

}  // namespace

Scheduling read(schema::Scheduling::Reader from) {
  Scheduling scheduling;
  // One that a later version added stays what it is: the node manager refuses it.
  scheduling.kind = static_cast<Scheduling::Kind>(std::min<uint16_t>(static_cast<uint16_t>(from.getKind()), UINT8_MAX));
  scheduling.node_id = to_string(from.getNodeId());
  scheduling.soft = from.getSoft();
  scheduling.group_id = to_string(from.getGroupId());
  scheduling.bundle = from.getBundle();
  scheduling.capture_children = from.getCaptureChildren();
  scheduling.labels = read(from.getLabels());
  for (auto labels : from.getFallback()) {
    scheduling.fallback.push_back(read(labels.getConditions()));
  }
  return scheduling;
}

void write(const Scheduling& from, schema::Scheduling::Builder to) {
  to.setKind(static_cast<schema::Scheduling::Kind>(from.kind));
  to.setNodeId(data_of(from.node_id));
  to.setSoft(from.soft);
  if (!from.group_id.empty()) {
    to.setGroupId(data_of(from.group_id));
  }
  to.setBundle(from.bundle);
  to.setCaptureChildren(from.capture_children);
  write(from.labels, to.initLabels(static_cast<kj::uint>(from.labels.size())));
  auto fallback = to.initFallback(static_cast<kj::uint>(from.fallback.size()));
  for (kj::uint i = 0; i < fallback.size(); ++i) {
    write(from.fallback[i], fallback[i].initConditions(static_cast<kj::uint>(from.fallback[i].size())));
  }
}

GroupSpec read(schema::GroupSpec::Reader from) {
  GroupSpec spec;
  spec.id = to_string(from.getId());
  spec.name = to_string(from.getName());
  spec.name_space = to_string(from.getNamespace());
  spec.detached = from.getDetached();
  // One that a later version added stays what it is: the node manager refuses it.
  spec.strategy = static_cast<uint8_t>(std::min<uint16_t>(static_cast<uint16_t>(from.getStrategy()), UINT8_MAX));
  for (auto bundle : from.getBundles()) {
    spec.bundles.push_back({read(bundle.getResources()), read(bundle.getLabels())});
  }
  return spec;
}

void write(const GroupSpec& from, schema::GroupSpec::Builder to) {
  to.setId(data_of(from.id));
  to.setName(text_of(from.name));
  to.setNamespace(text_of(from.name_space));
  to.setDetached(from.detached);
  to.setStrategy(static_cast<schema::GroupSpec::Strategy>(from.strategy));
  auto bundles = to.initBundles(static_cast<kj::uint>(from.bundles.size()));
  for (kj::uint i = 0; i < bundles.size(); ++i) {
    const GroupBundle& bundle = from.bundles[i];
    write_all(bundle.resources, bundles[i].initResources(static_cast<kj::uint>(bundle.resources.size())));
    write(bundle.labels, bundles[i].initLabels(static_cast<kj::uint>(bundle.labels.size())));
  }
}

ActorSpec read(schema::ActorSpec::Reader from) {
  ActorSpec spec;
  spec.class_function = from.getClassFunction();
  spec.name = to_string(from.getName());
  spec.name_space = to_string(from.getNamespace());
  spec.resources = read(from.getResources());
  spec.max_restarts = from.getMaxRestarts();
  spec.max_task_retries = from.getMaxTaskRetries();
  spec.max_concurrency = from.getMaxConcurrency();
  spec.detached = from.getDetached();
  spec.get_if_exists = from.getGetIfExists();
  spec.class_info = to_string(from.getClassInfo());
  spec.language = from.getLanguage();
  spec.class_name = to_string(from.getClassName());
  auto origin = from.getOrigin();
  spec.origin.role = static_cast<ActorRole>(origin.getRole());
  spec.origin.actor_id = to_string(origin.getActorId());
  spec.origin.node = to_string(origin.getNode());
  spec.origin.incarnation = origin.getIncarnation();
  spec.scheduling = read(from.getScheduling());
  return spec;
}

void write(const ActorSpec& from, schema::ActorSpec::Builder to) {
  to.setClassFunction(from.class_function);
  to.setName(text_of(from.name));
  to.setNamespace(text_of(from.name_space));
  write_all(from.resources, to.initResources(static_cast<kj::uint>(from.resources.size())));
  to.setMaxRestarts(from.max_restarts);
  to.setMaxTaskRetries(from.max_task_retries);
  to.setMaxConcurrency(from.max_concurrency);
  to.setDetached(from.detached);
  to.setGetIfExists(from.get_if_exists);
  to.setClassInfo(data_of(from.class_info));
  to.setLanguage(from.language);
  to.setClassName(text_of(from.class_name));
  if (from.origin.role != ActorRole::kOwn) {
    auto origin = to.initOrigin();
    origin.setRole(static_cast<schema::ActorOrigin::Role>(from.origin.role));
    origin.setActorId(data_of(from.origin.actor_id));
    origin.setNode(data_of(from.origin.node));
    origin.setIncarnation(from.origin.incarnation);
  }
  if (!from.scheduling.is_default()) {
    write(from.scheduling, to.initScheduling());
  }
}

ActorInfo read(schema::ActorInfo::Reader from) {
  ActorInfo info;
  info.actor = from.getActor();
  info.entry = from.getEntry();
  info.generation = from.getGeneration();
  info.actor_id = to_string(from.getActorId());
  info.name = to_string(from.getName());
  info.class_name = to_string(from.getClassName());
  info.class_info = to_string(from.getClassInfo());
  info.language = from.getLanguage();
  info.max_task_retries = from.getMaxTaskRetries();
  info.existed = from.getExisted();
  info.home_node = to_string(from.getHomeNode());
  info.home_incarnation = from.getHomeIncarnation();
  return info;
}

void write(const ActorInfo& from, schema::ActorInfo::Builder to) {
  to.setActor(from.actor);
  to.setEntry(from.entry);
  to.setGeneration(from.generation);
  to.setActorId(data_of(from.actor_id));
  to.setName(text_of(from.name));
  to.setClassName(text_of(from.class_name));
  to.setClassInfo(data_of(from.class_info));
  to.setLanguage(from.language);
  to.setMaxTaskRetries(from.max_task_retries);
  to.setExisted(from.existed);
  if (!from.home_node.empty()) {
    to.setHomeNode(data_of(from.home_node));
    to.setHomeIncarnation(from.home_incarnation);
  }
}

std::vector<EntryKey> read(capnp::List<schema::EntryRef>::Reader from) {
  std::vector<EntryKey> refs;
  for (auto ref : from) {
    refs.push_back({ref.getEntry(), ref.getGeneration()});
  }
  return refs;
}

std::vector<ObjectChange> read(capnp::List<schema::ObjectChange>::Reader from) {
  std::vector<ObjectChange> changes;
  for (auto change : from) {
    auto kind = static_cast<uint16_t>(change.getKind());
    if (kind <= static_cast<uint16_t>(ObjectChange::Kind::kLost)) {
      auto entry = change.getEntry();
      changes.push_back({static_cast<ObjectChange::Kind>(kind), {entry.getEntry(), entry.getGeneration()}});
    }
  }
  return changes;
}

void write_all(const std::vector<ObjectChange>& from, capnp::List<schema::ObjectChange>::Builder to) {
  for (kj::uint i = 0; i < from.size(); ++i) {
    to[i].setKind(static_cast<schema::ObjectChange::Kind>(from[i].kind));
    write(from[i].entry, to[i].initEntry());
  }
}

void write(const EntryKey& from, schema::EntryRef::Builder to) {
  to.setEntry(from.entry);
  to.setGeneration(from.generation);
}

std::vector<LogLines> read(capnp::List<schema::LogLines>::Reader from) {
  std::vector<LogLines> lines;
  for (auto one : from) {
    lines.push_back(
        {one.getPid(), one.getStream(), to_string(one.getTaskName()), to_string(one.getText()), one.getDroppedLines()});
  }
  return lines;
}

void write(const LogLines& from, schema::LogLines::Builder to) {
  to.setPid(from.pid);
  to.setStream(from.stream);
  to.setTaskName(text_of(from.task_name));
  to.setText(text_of(from.text));
  to.setDroppedLines(from.dropped_lines);
}

}  // namespace sabir::rpc
