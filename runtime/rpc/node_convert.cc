#include "runtime/rpc/node_convert.h"

#include "runtime/rpc/convert.h"

namespace sabir::rpc {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

ObjectId read_id(schema::ObjectId::Reader from) { return {from.getUid(), from.getSequence()}; }

void write_id(ObjectId from, schema::ObjectId::Builder to) {
  to.setUid(from.uid);
  to.setSequence(from.sequence);
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
    value.stored = WireValue::Stored{read_id(from.getStored().getId()), from.getStored().getSizeBytes()};
  } else {
    value.bytes = to_string(from.getBytes());
  }
  for (auto ref : from.getRefs()) {
    WireRef& to = value.refs.emplace_back();
    to.id = read_id(ref.getId());
    if (ref.isValue()) {
      SABIR_ASSIGN_OR_RETURN(WireValue inside, read_value(ref.getValue(), depth + 1));
      to.value = std::make_unique<WireValue>(std::move(inside));
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
    } else {
      refs[i].setPromised();
    }
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
  for (auto arg : from.getArgs()) {
    SABIR_ASSIGN_OR_RETURN(WireValue value, read_value(arg.getValue()));
    call.args.push_back({to_string(arg.getName()), std::move(value)});
  }
  return call;
}

void write_call(const CallMessage& from, schema::CallMessage::Builder to) {
  to.setNumber(from.number);
  to.setJob(from.job);
  to.setFunction(from.function);
  to.setClass(from.class_number);
  to.setNumReturns(from.num_returns);
  to.setAttempt(from.attempt);
  auto args = to.initArgs(static_cast<kj::uint>(from.args.size()));
  for (kj::uint i = 0; i < args.size(); ++i) {
    if (!from.args[i].name.empty()) {
      args[i].setName(text_of(from.args[i].name));
    }
    write_value(from.args[i].value, args[i].initValue());
  }
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
      return NodeMessage(ClassDefinition{from.getClass().getNumber(), read(from.getClass().getResources())});
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
      return NodeMessage(PullMessage{read_id(from.getPull().getId()), from.getPull().getTransfer()});
    case schema::NodeMessage::BETWEEN:
      return NodeMessage(BetweenMessage{to_string(from.getBetween())});
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
                        },
                        [&](const BetweenMessage& between) { to.setBetween(data_of(between.bytes)); }},
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
    }
  }
  return copy;
}

size_t wire_bytes(const CallMessage& call) {
  size_t total = kMessageBytes;
  for (const WireArg& arg : call.args) {
    total += arg.name.size() + bytes_of(arg.value);
  }
  return total;
}

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
      Overloaded{[](const CallMessage& call) { return wire_bytes(call); },
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
                 [](const BetweenMessage& between) { return kMessageBytes + between.bytes.size(); },
                 [](const auto&) { return kMessageBytes; }},
      message);
}

}  // namespace sabir::rpc
