#include "runtime/rpc/session_service.h"

#include <optional>
#include <string>
#include <utility>

#include "runtime/rpc/convert.h"

namespace sabir::rpc {

namespace {

using schema::Session;

class SessionService final : public Session::Server {
 public:
  explicit SessionService(ServiceContext context)
      : context_(std::move(context)),
        answers_(std::make_shared<AnswerTable>(context_.options.max_remembered_answers,
                                               context_.options.max_remembered_bytes)) {}

 protected:
  kj::Promise<void> subscribe(SubscribeContext call) override {
    context_.notices->subscribe(call.getParams().getNotices());
    return kj::READY_NOW;
  }

  kj::Promise<void> lend(LendContext call) override {
    auto params = call.getParams();
    auto kind = static_cast<uint16_t>(params.getKind());
    if (kind > static_cast<uint16_t>(LendKind::kBlocks)) {
      return refuse(call, unsupported_error("lend: a kind that this node does not know"));
    }
    return member_call<uint32_t>(
        call, "lend", params.getRequestId(),
        [&](Reply<uint32_t> reply) { handler().lend(process(), static_cast<LendKind>(kind), std::move(reply)); },
        [](auto results, uint32_t index) { results.setIndex(index); });
  }

  kj::Promise<void> loan(LoanContext call) override {
    auto params = call.getParams();
    return member_call<LoanInfo>(
        call, "loan", params.getRequestId(),
        [&](Reply<LoanInfo> reply) {
          handler().loan(process(), params.getSizeBytes(), params.getWaitNs(), std::move(reply));
        },
        [](auto results, const LoanInfo& loan) {
          results.setOffset(loan.offset);
          results.setSizeBytes(loan.size_bytes);
          results.setReused(loan.reused);
        });
  }

  kj::Promise<void> returnLoan(ReturnLoanContext call) override {
    auto params = call.getParams();
    return member_command(call, "returnLoan", params.getRequestId(), [&](Reply<void> reply) {
      handler().return_loan(process(), params.getOffset(), std::move(reply));
    });
  }

  kj::Promise<void> declareClass(DeclareClassContext call) override {
    auto params = call.getParams();
    return member_call<ClassInfo>(
        call, "declareClass", params.getRequestId(),
        [&](Reply<ClassInfo> reply) {
          handler().declare_class(process(), params.getLanguage(), read(params.getResources()),
                                  read(params.getScheduling()), std::move(reply));
        },
        [](auto results, const ClassInfo& info) {
          results.setClassIndex(info.class_index);
          results.setQueue(info.queue);
          results.setInfeasible(text_of(info.infeasible));
        });
  }

  kj::Promise<void> exportFunction(ExportFunctionContext call) override {
    auto params = call.getParams();
    return member_call<uint32_t>(
        call, "exportFunction", params.getRequestId(),
        [&](Reply<uint32_t> reply) {
          FunctionInfo function{params.getKind(), params.getLanguage(), to_string(params.getName()),
                                to_string(params.getCode())};
          handler().export_function(process(), std::move(function), std::move(reply));
        },
        [](auto results, uint32_t index) { results.setIndex(index); });
  }

  kj::Promise<void> fetchFunction(FetchFunctionContext call) override {
    auto params = call.getParams();
    return member_call<FunctionInfo>(
        call, "fetchFunction", std::nullopt,
        [&](Reply<FunctionInfo> reply) { handler().fetch_function(process(), params.getIndex(), std::move(reply)); },
        [](auto results, const FunctionInfo& function) {
          results.setKind(function.kind);
          results.setLanguage(function.language);
          results.setName(text_of(function.name));
          results.setCode(data_of(function.code));
        });
  }

  kj::Promise<void> createActor(CreateActorContext call) override {
    auto params = call.getParams();
    return member_call<ActorInfo>(
        call, "createActor", params.getRequestId(),
        [&](Reply<ActorInfo> reply) { handler().create_actor(process(), read(params.getSpec()), std::move(reply)); },
        [](auto results, const ActorInfo& info) { write(info, results.initInfo()); });
  }

  kj::Promise<void> startActor(StartActorContext call) override {
    auto params = call.getParams();
    return member_command(call, "startActor", params.getRequestId(), [&](Reply<void> reply) {
      handler().start_actor(process(), params.getActor(), to_string(params.getArgs()), read(params.getRefs()),
                            std::move(reply));
    });
  }

  kj::Promise<void> failActor(FailActorContext call) override {
    auto params = call.getParams();
    return member_command(call, "failActor", params.getRequestId(), [&](Reply<void> reply) {
      handler().fail_actor(process(), params.getActor(), to_string(params.getMessage()), to_string(params.getError()),
                           std::move(reply));
    });
  }

  kj::Promise<void> actorStarted(ActorStartedContext call) override {
    auto params = call.getParams();
    return member_command(call, "actorStarted", params.getRequestId(), [&](Reply<void> reply) {
      handler().actor_started(process(), params.getActor(), params.getIncarnation(), std::move(reply));
    });
  }

  kj::Promise<void> getActor(GetActorContext call) override {
    auto params = call.getParams();
    return member_call<ActorInfo>(
        call, "getActor", std::nullopt,
        [&](Reply<ActorInfo> reply) {
          handler().get_actor(process(), to_string(params.getName()), to_string(params.getNamespace()),
                              std::move(reply));
        },
        [](auto results, const ActorInfo& info) { write(info, results.initInfo()); });
  }

  kj::Promise<void> describeActor(DescribeActorContext call) override {
    auto params = call.getParams();
    return member_call<ActorDescription>(
        call, "describeActor", std::nullopt,
        [&](Reply<ActorDescription> reply) {
          handler().describe_actor(process(), params.getActor(), params.getGeneration(), std::move(reply));
        },
        [](auto results, const ActorDescription& description) {
          write(description.info, results.initInfo());
          results.setError(data_of(description.error));
          results.setCrashed(description.crashed);
        });
  }

  kj::Promise<void> killActor(KillActorContext call) override {
    auto params = call.getParams();
    return member_command(call, "killActor", params.getRequestId(), [&](Reply<void> reply) {
      handler().kill_actor(process(), params.getActor(), params.getNoRestart(), std::move(reply));
    });
  }

  kj::Promise<void> leave(LeaveContext call) override {
    auto params = call.getParams();
    return member_command(call, "leave", params.getRequestId(), [&](Reply<void> reply) {
      handler().leave(process(), to_string(params.getCrash()), std::move(reply));
    });
  }

  kj::Promise<void> kvPut(KvPutContext call) override {
    auto params = call.getParams();
    return any_call<bool>(
        call, "kvPut", params.getRequestId(),
        [&](Reply<bool> reply) {
          handler().kv_put(process(), to_string(params.getKey()), to_string(params.getValue()), params.getOverwrite(),
                           std::move(reply));
        },
        [](auto results, bool added) { results.setAdded(added); });
  }

  kj::Promise<void> kvGet(KvGetContext call) override {
    auto params = call.getParams();
    return any_call<std::optional<std::string>>(
        call, "kvGet", std::nullopt,
        [&](const Reply<std::optional<std::string>>& reply) {
          // On the wire a key without a value is an answer, not a failure.
          handler().kv_get(process(), to_string(params.getKey()), [reply](Result<std::string> result) {
            if (result.ok()) {
              reply(std::optional<std::string>(std::move(result).value()));
            } else if (result.error().kind() == ErrorKind::kNotFound) {
              reply(std::optional<std::string>());
            } else {
              reply(std::move(result).error());
            }
          });
        },
        [](auto results, const std::optional<std::string>& value) {
          results.setFound(value.has_value());
          if (value.has_value()) {
            results.setValue(data_of(*value));
          }
        });
  }

  kj::Promise<void> kvDelete(KvDeleteContext call) override {
    auto params = call.getParams();
    return any_call<bool>(
        call, "kvDelete", params.getRequestId(),
        [&](Reply<bool> reply) { handler().kv_delete(process(), to_string(params.getKey()), std::move(reply)); },
        [](auto results, bool deleted) { results.setDeleted(deleted); });
  }

  kj::Promise<void> createGroup(CreateGroupContext call) override {
    auto params = call.getParams();
    return member_command(call, "createGroup", params.getRequestId(), [&](Reply<void> reply) {
      handler().create_group(process(), read(params.getSpec()), std::move(reply));
    });
  }

  kj::Promise<void> watchGroup(WatchGroupContext call) override {
    auto params = call.getParams();
    return member_call<bool>(
        call, "watchGroup", params.getRequestId(),
        [&](Reply<bool> reply) { handler().watch_group(process(), to_string(params.getId()), std::move(reply)); },
        [](auto results, bool ready) { results.setReady(ready); });
  }

  kj::Promise<void> removeGroup(RemoveGroupContext call) override {
    auto params = call.getParams();
    return member_command(call, "removeGroup", params.getRequestId(), [&](Reply<void> reply) {
      handler().remove_group(process(), to_string(params.getId()), std::move(reply));
    });
  }

  kj::Promise<void> findGroups(FindGroupsContext call) override {
    auto params = call.getParams();
    return member_call<std::string>(
        call, "findGroups", std::nullopt,
        [&](Reply<std::string> reply) {
          GroupQuery query{to_string(params.getId()), to_string(params.getName()), to_string(params.getNamespace())};
          handler().find_groups(process(), std::move(query), std::move(reply));
        },
        [](auto results, const std::string& json) { results.setJson(text_of(json)); });
  }

  kj::Promise<void> status(StatusContext call) override {
    return any_call<std::string>(
        call, "status", std::nullopt, [&](Reply<std::string> reply) { handler().status(std::move(reply)); },
        [](auto results, const std::string& json) { results.setJson(text_of(json)); });
  }

  kj::Promise<void> stop(StopContext call) override {
    return any_call<void>(
        call, "stop", call.getParams().getRequestId(),
        [&](Reply<void> reply) { handler().stop(process(), std::move(reply)); }, [](auto) {});
  }

  kj::Promise<void> drain(DrainContext call) override {
    auto params = call.getParams();
    return any_call<std::string>(
        call, "drain", params.getRequestId(),
        [&](Reply<std::string> reply) {
          handler().drain(to_string(params.getNode()), params.getDeadlineNs(), std::move(reply));
        },
        [](auto results, const std::string& id) { results.setNodeId(text_of(id)); });
  }

 private:
  SessionHandler& handler() { return context_.handler; }
  ProcessKey process() const { return context_.process; }

  template <typename Call>
  static kj::Promise<void> refuse(Call& call, const Error& error) {
    write(error, call.getResults().initFailure());
    return kj::READY_NOW;
  }

  // A call that only a process with a slot may make.
  template <typename T, typename Call, typename Start, typename Fill>
  kj::Promise<void> member_call(Call& call, const char* method, std::optional<uint64_t> request_id, Start start,
                                Fill fill) {
    if (context_.observer) {
      return refuse(call, unsupported_error(std::string(method) + ": not for an observer"));
    }
    return any_call<T>(call, method, request_id, std::move(start), std::move(fill));
  }

  template <typename Call, typename Start>
  kj::Promise<void> member_command(Call& call, const char* method, uint64_t request_id, Start start) {
    return member_call<void>(call, method, request_id, std::move(start), [](auto) {});
  }

  // `start` runs the call at the handler, unless the request is known already; it runs before this returns, so it may
  // use the parameters. `fill` writes an answer into the results. With a request id the call is a mutating one.
  template <typename T, typename Call, typename Start, typename Fill>
  kj::Promise<void> any_call(Call& call, const char* method, std::optional<uint64_t> request_id, Start start,
                             Fill fill) {
    Fault fault = context_.options.fault_point ? context_.options.fault_point(method) : Fault{};
    if (fault.action == FaultAction::kDropRequest) {
      return kj::NEVER_DONE;
    }
    if (*calls_in_flight_ >= context_.options.max_calls_in_flight) {
      return refuse(call, exhausted_error("too many calls in progress"));
    }
    std::shared_ptr<Answer<T>> answer;
    if (request_id.has_value()) {
      auto known = answers_->find(*request_id, method);
      if (!known.ok()) {
        return refuse(call, known.error());
      }
      answer = std::static_pointer_cast<Answer<T>>(std::move(known).value());
    }
    if (answer == nullptr) {
      answer = std::make_shared<Answer<T>>(method);
      std::function<void(size_t)> on_finished;
      if (request_id.has_value()) {
        answers_->add(*request_id, answer);
        on_finished = [table = std::weak_ptr<AnswerTable>(answers_), id = *request_id](size_t size_bytes) {
          if (auto answers = table.lock()) {
            answers->finished(id, size_bytes);
          }
        };
      }
      start(reply_to<T>(answer, std::move(on_finished)));
    }
    call.releaseParams();
    auto reply = answer->when_finished().then([answer, call, fill]() mutable {
      const Result<T>& result = answer->result();
      if (!result.ok()) {
        write(result.error(), call.getResults().initFailure());
      } else if constexpr (std::is_void_v<T>) {
        fill(call.getResults());
      } else {
        fill(call.getResults(), result.value());
      }
    });
    ++*calls_in_flight_;
    auto counted = reply.attach(kj::defer([count = calls_in_flight_] { --*count; }));
    return fault.action == FaultAction::kNone ? kj::mv(counted) : inject(fault, kj::mv(counted));
  }

  kj::Promise<void> inject(Fault fault, kj::Promise<void> reply) {
    switch (fault.action) {
      case FaultAction::kDelayReply:
        return context_.delay(fault.delay_ns).then([reply = kj::mv(reply)]() mutable { return kj::mv(reply); });
      case FaultAction::kDropReply:
        return reply.then([]() -> kj::Promise<void> { return kj::NEVER_DONE; });
      case FaultAction::kClose:
        return reply.then([notices = context_.notices]() -> kj::Promise<void> {
          notices->close();
          return kj::NEVER_DONE;
        });
      case FaultAction::kNone:
      case FaultAction::kDropRequest:
        break;
    }
    return reply;
  }

  ServiceContext context_;
  std::shared_ptr<AnswerTable> answers_;
  std::shared_ptr<uint32_t> calls_in_flight_ = std::make_shared<uint32_t>(0);
};

}  // namespace

capnp::Capability::Client make_session_service(ServiceContext context) {
  return Session::Client(kj::heap<SessionService>(std::move(context)));
}

}  // namespace sabir::rpc
