#include "runtime/rpc/node_convert.h"

#include "runtime/base/overloaded.h"
#include "runtime/rpc/convert.h"

namespace sabir::rpc {
namespace {

ObjectId read_id(schema::ObjectId::Reader from) { return {from.getUid(), from.getSequence()}; }

void write_id(ObjectId from, schema::ObjectId::Builder to) {
  to.setUid(from.uid);
  to.setSequence(from.sequence);
}

NodeKeyBytes read_key(schema::NodeKey::Reader from) { return {to_string(from.getId()), from.getIncarnation()}; }

void write_key(const NodeKeyBytes& from, schema::NodeKey::Builder to) {
  to.setId(data_of(from.id));
  to.setIncarnation(from.incarnation);
}

WireActor read_actor(schema::WireActor::Reader from) {
  WireActor actor;
  actor.home = read_key(from.getHome());
  actor.name = to_string(from.getName());
  actor.class_name = to_string(from.getClassName());
  actor.class_info = to_string(from.getClassInfo());
  actor.language = from.getLanguage();
  actor.max_task_retries = from.getMaxTaskRetries();
  return actor;
}

void write_actor(const WireActor& from, schema::WireActor::Builder to) {
  write_key(from.home, to.initHome());
  to.setName(text_of(from.name));
  to.setClassName(text_of(from.class_name));
  to.setClassInfo(data_of(from.class_info));
  to.setLanguage(from.language);
  to.setMaxTaskRetries(from.max_task_retries);
}

Result<WireValue> read_value(schema::WireValue::Reader from, int depth = 0) {
  if (depth > kMaxWireDepth) {
    return invalid_error("a value from another node is nested too deeply");
  }
  WireValue value;
  value.encoding = from.getEncoding();
  value.language = from.getLanguage();
  value.variant = from.getVariant();
  value.is_error = from.getIsError();
  if (from.isStored()) {
    auto stored = from.getStored();
    value.stored = WireValue::Stored{read_id(stored.getId()), stored.getSizeBytes(), stored.getIsYours()};
  } else {
    value.bytes = to_string(from.getBytes());
  }
  for (auto ref : from.getRefs()) {
    WireRef& to = value.refs.emplace_back();
    to.id = read_id(ref.getId());
    if (ref.isValue()) {
      SABIR_ASSIGN_OR_RETURN(WireValue inside, read_value(ref.getValue(), depth + 1));
      to.value = std::make_unique<WireValue>(std::move(inside));
    } else if (ref.isActor()) {
      to.actor = std::make_unique<WireActor>(read_actor(ref.getActor()));
    }
  }
  return value;
}

void write_value(const WireValue& from, schema::WireValue::Builder to) {
  to.setEncoding(from.encoding);
  to.setLanguage(from.language);
  to.setVariant(from.variant);
  to.setIsError(from.is_error);
  if (from.stored) {
    auto stored = to.initStored();
    write_id(from.stored->id, stored.initId());
    stored.setSizeBytes(from.stored->size_bytes);
    stored.setIsYours(from.stored->is_yours);
  } else {
    to.setBytes(data_of(from.bytes));
  }
  if (from.refs.empty()) {
    return;
  }
  auto refs = to.initRefs(static_cast<kj::uint>(from.refs.size()));
  for (kj::uint i = 0; i < refs.size(); ++i) {
    write_id(from.refs[i].id, refs[i].initId());
    if (from.refs[i].value) {
      write_value(*from.refs[i].value, refs[i].initValue());
    } else if (from.refs[i].actor) {
      write_actor(*from.refs[i].actor, refs[i].initActor());
    } else {
      refs[i].setPromised();
    }
  }
}

Result<std::vector<WireArg>> read_args(capnp::List<schema::WireArg>::Reader from) {
  std::vector<WireArg> args;
  for (auto arg : from) {
    SABIR_ASSIGN_OR_RETURN(WireValue value, read_value(arg.getValue()));
    args.push_back({to_string(arg.getName()), std::move(value)});
  }
  return args;
}

void write_args(const std::vector<WireArg>& from, capnp::List<schema::WireArg>::Builder to) {
  for (kj::uint i = 0; i < to.size(); ++i) {
    if (!from[i].name.empty()) {
      to[i].setName(text_of(from[i].name));
    }
    write_value(from[i].value, to[i].initValue());
  }
}

Result<CallMessage> read_call(schema::CallMessage::Reader from) {
  CallMessage call;
  call.number = from.getNumber();
  call.job = from.getJob();
  call.function = from.getFunction();
  call.class_number = from.getClass();
  call.num_returns = from.getNumReturns();
  call.attempt = from.getAttempt();
  call.actor = from.getActor();
  SABIR_ASSIGN_OR_RETURN(call.args, read_args(from.getArgs()));
  return call;
}

void write_call(const CallMessage& from, schema::CallMessage::Builder to) {
  to.setNumber(from.number);
  to.setJob(from.job);
  to.setFunction(from.function);
  to.setClass(from.class_number);
  to.setNumReturns(from.num_returns);
  to.setAttempt(from.attempt);
  to.setActor(from.actor);
  write_args(from.args, to.initArgs(static_cast<kj::uint>(from.args.size())));
}

Result<OpenActorMessage> read_open(schema::OpenActor::Reader from) {
  OpenActorMessage open;
  open.number = from.getNumber();
  open.job = from.getJob();
  open.actor_id = to_string(from.getActorId());
  if (from.isCreate()) {
    auto create = from.getCreate();
    OpenActorMessage::Creation& creation = open.creation.emplace();
    creation.function = create.getFunction();
    creation.class_number = create.getClass();
    creation.max_concurrency = create.getMaxConcurrency();
    creation.name = to_string(create.getName());
    creation.class_name = to_string(create.getClassName());
    creation.class_info = to_string(create.getClassInfo());
    SABIR_ASSIGN_OR_RETURN(creation.args, read_args(create.getArgs()));
  }
  return open;
}

void write_open(const OpenActorMessage& from, schema::OpenActor::Builder to) {
  to.setNumber(from.number);
  to.setJob(from.job);
  to.setActorId(data_of(from.actor_id));
  if (!from.creation) {
    to.setOpen();
    return;
  }
  auto create = to.initCreate();
  create.setFunction(from.creation->function);
  create.setClass(from.creation->class_number);
  create.setMaxConcurrency(from.creation->max_concurrency);
  create.setName(text_of(from.creation->name));
  create.setClassName(text_of(from.creation->class_name));
  create.setClassInfo(data_of(from.creation->class_info));
  write_args(from.creation->args, create.initArgs(static_cast<kj::uint>(from.creation->args.size())));
}

ActorStateMessage read_state(schema::ActorState::Reader from) {
  auto state = static_cast<uint16_t>(from.getState());
  return {from.getNumber(),
          state <= static_cast<uint16_t>(RemoteActorState::kCrashed) ? static_cast<RemoteActorState>(state)
                                                                     : RemoteActorState::kCrashed,
          to_string(from.getMessage()), to_string(from.getError())};
}

void write_state(const ActorStateMessage& from, schema::ActorState::Builder to) {
  to.setNumber(from.number);
  to.setState(static_cast<schema::ActorState::State>(from.state));
  to.setMessage(text_of(from.message));
  to.setError(data_of(from.error));
}

Result<ResultMessage> read_result(schema::ResultMessage::Reader from) {
  ResultMessage result;
  result.number = from.getNumber();
  auto outcome = static_cast<uint16_t>(from.getOutcome());
  // One that a later release added: the call did not come back.
  result.outcome =
      outcome <= static_cast<uint16_t>(Outcome::kNotBegun) ? static_cast<Outcome>(outcome) : Outcome::kLost;
  for (auto value : from.getValues()) {
    SABIR_ASSIGN_OR_RETURN(WireValue one, read_value(value));
    result.values.push_back(std::move(one));
  }
  result.message = to_string(from.getMessage());
  return result;
}

void write_result(const ResultMessage& from, schema::ResultMessage::Builder to) {
  to.setNumber(from.number);
  to.setOutcome(static_cast<schema::ResultMessage::Outcome>(from.outcome));
  auto values = to.initValues(static_cast<kj::uint>(from.values.size()));
  for (kj::uint i = 0; i < values.size(); ++i) {
    write_value(from.values[i], values[i]);
  }
  if (!from.message.empty()) {
    to.setMessage(text_of(from.message));
  }
}

LocatedMessage read_located(schema::Located::Reader from) {
  LocatedMessage located{read_id(from.getId()), from.getSelf(), {}};
  for (auto other : from.getOthers()) {
    located.others.push_back(read_key(other));
  }
  return located;
}

void write_located(const LocatedMessage& from, schema::Located::Builder to) {
  write_id(from.id, to.initId());
  to.setSelf(from.self);
  auto others = to.initOthers(static_cast<kj::uint>(from.others.size()));
  for (kj::uint i = 0; i < others.size(); ++i) {
    write_key(from.others[i], others[i]);
  }
}

// One that a later release added: it is no source to be referred to.
CopyStateMessage read_copy(schema::CopyState::Reader from) {
  auto state = static_cast<uint16_t>(from.getState());
  return {read_id(from.getId()),
          state <= static_cast<uint16_t>(CopyState::kFailed) ? static_cast<CopyState>(state) : CopyState::kGone,
          read_key(from.getSource())};
}

void write_copy(const CopyStateMessage& from, schema::CopyState::Builder to) {
  write_id(from.id, to.initId());
  to.setState(static_cast<schema::CopyState::State>(from.state));
  if (from.state == CopyState::kFailed) {
    write_key(from.source, to.initSource());
  }
}

FunctionDefinition read_function(schema::FunctionDefinition::Reader from) {
  FunctionDefinition to;
  to.number = from.getNumber();
  to.function.kind = from.getKind();
  to.function.language = from.getLanguage();
  to.function.name = to_string(from.getName());
  to.function.code = to_string(from.getCode());
  return to;
}

void write_function(const FunctionDefinition& from, schema::FunctionDefinition::Builder to) {
  to.setNumber(from.number);
  to.setKind(from.function.kind);
  to.setLanguage(from.function.language);
  to.setName(text_of(from.function.name));
  to.setCode(data_of(from.function.code));
}

constexpr size_t kMessageBytes = 64;

size_t bytes_of(const WireValue& value) {
  size_t total = 64 + value.bytes.size();
  for (const WireRef& ref : value.refs) {
    total += 48 + (ref.value ? bytes_of(*ref.value) : 0);
    total += ref.actor ? 128 + ref.actor->class_info.size() + ref.actor->class_name.size() : 0;
  }
  return total;
}

size_t bytes_of(const std::vector<WireArg>& args) {
  size_t total = 0;
  for (const WireArg& arg : args) {
    total += arg.name.size() + bytes_of(arg.value);
  }
  return total;
}

}  // namespace

Result<NodeMessage> read(schema::NodeMessage::Reader from) {
  switch (from.which()) {
    case schema::NodeMessage::JOB:
      return NodeMessage(
          JobDefinition{from.getJob().getNumber(), to_string(from.getJob().getId()), read(from.getJob().getConfig())});
    case schema::NodeMessage::FUNCTION:
      return NodeMessage(read_function(from.getFunction()));
    case schema::NodeMessage::CLASS:
      return NodeMessage(ClassDefinition{from.getClass().getNumber(), read(from.getClass().getResources()),
                                         read(from.getClass().getScheduling())});
    case schema::NodeMessage::CALL: {
      SABIR_ASSIGN_OR_RETURN(CallMessage call, read_call(from.getCall()));
      return NodeMessage(std::move(call));
    }
    case schema::NodeMessage::RESULT: {
      SABIR_ASSIGN_OR_RETURN(ResultMessage result, read_result(from.getResult()));
      return NodeMessage(std::move(result));
    }
    case schema::NodeMessage::RESOLVED: {
      SABIR_ASSIGN_OR_RETURN(WireValue value, read_value(from.getResolved().getValue()));
      return NodeMessage(ResolvedMessage{read_id(from.getResolved().getId()), std::move(value)});
    }
    case schema::NodeMessage::RELEASED: {
      ReleasedMessage released;
      for (auto id : from.getReleased()) {
        released.ids.push_back(read_id(id));
      }
      return NodeMessage(std::move(released));
    }
    case schema::NodeMessage::JOB_OVER:
      return NodeMessage(JobOverMessage{from.getJobOver()});
    case schema::NodeMessage::PULL:
      return NodeMessage(PullMessage{read_id(from.getPull().getId()), from.getPull().getTransfer(),
                                     from.getPull().getOffset(), from.getPull().getSizeBytes()});
    case schema::NodeMessage::LOCATE:
      return NodeMessage(LocateMessage{read_id(from.getLocate())});
    case schema::NodeMessage::LOCATED:
      return NodeMessage(read_located(from.getLocated()));
    case schema::NodeMessage::COPY_STATE:
      return NodeMessage(read_copy(from.getCopyState()));
    case schema::NodeMessage::BETWEEN:
      return NodeMessage(BetweenMessage{to_string(from.getBetween())});
    case schema::NodeMessage::CONTROL:
      return NodeMessage(BetweenMessage{to_string(from.getControl()), true});
    case schema::NodeMessage::OPEN_ACTOR: {
      SABIR_ASSIGN_OR_RETURN(OpenActorMessage open, read_open(from.getOpenActor()));
      return NodeMessage(std::move(open));
    }
    case schema::NodeMessage::ACTOR_STATE:
      return NodeMessage(read_state(from.getActorState()));
    case schema::NodeMessage::CLOSE_ACTOR:
      return NodeMessage(CloseActorMessage{from.getCloseActor().getNumber(), from.getCloseActor().getKill()});
    case schema::NodeMessage::KILL_ACTOR:
      return NodeMessage(KillActorMessage{from.getKillActor().getNumber(), from.getKillActor().getNoRestart()});
  }
  return invalid_error("a message between nodes of a kind that this release does not know");
}

void write(const NodeMessage& from, schema::NodeMessage::Builder to) {
  std::visit(Overloaded{[&](const JobDefinition& job) {
                          auto out = to.initJob();
                          out.setNumber(job.number);
                          out.setId(data_of(job.id));
                          write(job.config, out.initConfig());
                        },
                        [&](const FunctionDefinition& function) { write_function(function, to.initFunction()); },
                        [&](const ClassDefinition& definition) {
                          auto out = to.initClass();
                          out.setNumber(definition.number);
                          auto resources = out.initResources(static_cast<kj::uint>(definition.resources.size()));
                          write_all(definition.resources, resources);
                          if (!definition.scheduling.is_default()) {
                            write(definition.scheduling, out.initScheduling());
                          }
                        },
                        [&](const CallMessage& call) { write_call(call, to.initCall()); },
                        [&](const ResultMessage& result) { write_result(result, to.initResult()); },
                        [&](const ResolvedMessage& resolved) {
                          auto out = to.initResolved();
                          write_id(resolved.id, out.initId());
                          write_value(resolved.value, out.initValue());
                        },
                        [&](const ReleasedMessage& released) {
                          auto ids = to.initReleased(static_cast<kj::uint>(released.ids.size()));
                          for (kj::uint i = 0; i < ids.size(); ++i) {
                            write_id(released.ids[i], ids[i]);
                          }
                        },
                        [&](const JobOverMessage& over) { to.setJobOver(over.job); },
                        [&](const PullMessage& pull) {
                          auto out = to.initPull();
                          write_id(pull.id, out.initId());
                          out.setTransfer(pull.transfer);
                          out.setOffset(pull.offset);
                          out.setSizeBytes(pull.size_bytes);
                        },
                        [&](const LocateMessage& locate) { write_id(locate.id, to.initLocate()); },
                        [&](const LocatedMessage& located) { write_located(located, to.initLocated()); },
                        [&](const CopyStateMessage& copy) { write_copy(copy, to.initCopyState()); },
                        [&](const BetweenMessage& between) {
                          between.control ? to.setControl(data_of(between.bytes))
                                          : to.setBetween(data_of(between.bytes));
                        },
                        [&](const OpenActorMessage& open) { write_open(open, to.initOpenActor()); },
                        [&](const ActorStateMessage& state) { write_state(state, to.initActorState()); },
                        [&](const CloseActorMessage& close) {
                          to.initCloseActor().setNumber(close.number);
                          to.getCloseActor().setKill(close.kill);
                        },
                        [&](const KillActorMessage& kill) {
                          to.initKillActor().setNumber(kill.number);
                          to.getKillActor().setNoRestart(kill.no_restart);
                        }},
             from);
}

WireValue copy_of(const WireValue& value) {
  WireValue copy;
  copy.encoding = value.encoding;
  copy.language = value.language;
  copy.variant = value.variant;
  copy.is_error = value.is_error;
  copy.bytes = value.bytes;
  copy.stored = value.stored;
  for (const WireRef& ref : value.refs) {
    WireRef& to = copy.refs.emplace_back();
    to.id = ref.id;
    if (ref.value) {
      to.value = std::make_unique<WireValue>(copy_of(*ref.value));
    } else if (ref.actor) {
      to.actor = std::make_unique<WireActor>(*ref.actor);
    }
  }
  return copy;
}

size_t wire_bytes(const CallMessage& call) { return kMessageBytes + bytes_of(call.args); }

size_t wire_bytes(const std::vector<WireArg>& args) { return kMessageBytes + bytes_of(args); }

size_t wire_bytes(const ResultMessage& result) {
  size_t total = kMessageBytes + result.message.size();
  for (const WireValue& value : result.values) {
    total += bytes_of(value);
  }
  return total;
}

size_t wire_bytes(const ResolvedMessage& resolved) { return kMessageBytes + bytes_of(resolved.value); }

size_t size_bytes(const NodeMessage& message) {
  return std::visit(
      Overloaded{
          [](const CallMessage& call) { return wire_bytes(call); },
          [](const OpenActorMessage& open) {
            return kMessageBytes +
                   (open.creation ? bytes_of(open.creation->args) + open.creation->class_info.size() : 0);
          },
          [](const ActorStateMessage& state) { return kMessageBytes + state.message.size() + state.error.size(); },
          [](const ResultMessage& result) { return wire_bytes(result); },
          [](const ResolvedMessage& resolved) { return wire_bytes(resolved); },
          [](const JobDefinition& job) {
            size_t total = kMessageBytes + job.config.name.size() + job.config.opaque.size();
            for (const LanguageEnv& env : job.config.language_envs) {
              for (const std::string& word : env.argv) {
                total += word.size();
              }
            }
            return total;
          },
          [](const FunctionDefinition& function) {
            return kMessageBytes + function.function.name.size() + function.function.code.size();
          },
          [](const ReleasedMessage& released) { return kMessageBytes + sizeof(ObjectId) * released.ids.size(); },
          [](const LocatedMessage& located) { return kMessageBytes * (1 + located.others.size()); },
          [](const BetweenMessage& between) { return kMessageBytes + between.bytes.size(); },
          [](const auto&) { return kMessageBytes; }},
      message);
}

}  // namespace sabir::rpc
