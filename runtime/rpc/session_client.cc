#include "runtime/rpc/session_client.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <mutex>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/rpc/control_thread.h"
#include "runtime/rpc/convert.h"
#include "runtime/rpc/handshake.h"
#include "runtime/rpc/peer.h"

namespace sabir::rpc {

namespace {

using schema::Session;

// Of everything in one call; a message may have 64 MiB, and large values travel through the store.
constexpr size_t kMaxPayloadBytes = 60u << 20;
constexpr int64_t kLongestTimeoutNs = 365LL * 24 * 3600 * kSecondNs;

// Whether a call that is still open at half its deadline is sent again, under its request id.
enum class Repeat : bool { kNo, kYes };

template <typename Response>
Result<void> failure_in(Response& response) {
  if (response.getFailure().getStatus() != 0) {
    return error_from(response.getFailure());
  }
  return {};
}

// The promise of a call whose results are a failure or what `read` makes of them.
template <typename T, typename Request, typename Read>
kj::Promise<Result<T>> ask(Request& request, Read read) {
  return request.send().then([read](auto&& response) -> Result<T> {
    SABIR_RETURN_IF_ERROR(failure_in(response));
    return read(response);
  });
}

template <typename Request>
kj::Promise<Result<void>> command(Request& request) {
  return request.send().then([](auto&& response) -> Result<void> { return failure_in(response); });
}

auto return_loan_request(uint64_t offset) {
  return [offset](Session::Client& session, uint64_t id) {
    auto request = session.returnLoanRequest();
    request.setRequestId(id);
    request.setOffset(offset);
    return command(request);
  };
}

Result<void> check_payload(size_t size_bytes) {
  if (size_bytes > kMaxPayloadBytes) {
    return invalid_error(std::to_string(size_bytes) + " bytes are too many for the control channel (" +
                         std::to_string(kMaxPayloadBytes) + "); put large values into the store");
  }
  return {};
}

class Client final : public SessionClient {
 public:
  Client(UniqueFd socket, WelcomeInfo welcome) : socket_(std::move(socket)), welcome_(std::move(welcome)) {}
  ~Client() override { close(); }

  WelcomeInfo& welcome() override { return welcome_; }

  Result<void> start(NoticeHandler* handler) override {
    handler_ = handler;
    return control_.start(std::move(socket_), handler);
  }

  void close() override {
    control_.stop();
    socket_.reset();
  }

  Result<uint32_t> lend(LendKind kind, int64_t timeout_ns) override {
    {
      std::lock_guard lock(late_mutex_);
      auto& late = late_lends_[static_cast<size_t>(kind)];
      if (!late.empty()) {
        uint32_t index = late.back();
        late.pop_back();
        return index;
      }
    }
    return call<uint32_t>(
        timeout_ns, Repeat::kYes,
        [kind](Session::Client& session, uint64_t id) {
          auto request = session.lendRequest();
          request.setRequestId(id);
          request.setKind(static_cast<schema::LendKind>(kind));
          return ask<uint32_t>(request, [](auto& response) { return response.getIndex(); });
        },
        // It is ours until this process ends; the next one who asks gets it.
        [this, kind](Result<uint32_t> late) {
          if (late.ok()) {
            std::lock_guard lock(late_mutex_);
            late_lends_[static_cast<size_t>(kind)].push_back(*late);
          }
        });
  }

  Result<LoanInfo> loan(uint64_t size_bytes, int64_t wait_ns, int64_t timeout_ns) override {
    return call<LoanInfo>(
        timeout_ns, Repeat::kYes,
        [size_bytes, wait_ns](Session::Client& session, uint64_t id) {
          auto request = session.loanRequest();
          request.setRequestId(id);
          request.setSizeBytes(size_bytes);
          request.setWaitNs(wait_ns);
          return ask<LoanInfo>(request, [](auto& response) {
            return LoanInfo{response.getOffset(), response.getSizeBytes(), response.getReused()};
          });
        },
        [this](Result<LoanInfo> late) {
          if (late.ok()) {
            post_return_loan(late->offset);
          }
        });
  }

  Result<void> return_loan(uint64_t offset, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, return_loan_request(offset));
  }

  Result<ClassInfo> declare_class(uint8_t language, const std::vector<ResourceAmount>& resources,
                                  const Scheduling& scheduling, int64_t timeout_ns) override {
    return call<ClassInfo>(
        timeout_ns, Repeat::kYes, [language, resources, scheduling](Session::Client& session, uint64_t id) {
          auto request = session.declareClassRequest();
          request.setRequestId(id);
          request.setLanguage(language);
          write_all(resources, request.initResources(static_cast<kj::uint>(resources.size())));
          write(scheduling, request.initScheduling());
          return ask<ClassInfo>(request, [](auto& response) {
            return ClassInfo{response.getClassIndex(), response.getQueue(), to_string(response.getInfeasible())};
          });
        });
  }

  Result<uint32_t> export_function(const FunctionInfo& function, int64_t timeout_ns) override {
    SABIR_RETURN_IF_ERROR(check_payload(function.name.size() + function.code.size()));
    return call<uint32_t>(timeout_ns, Repeat::kYes, [function](Session::Client& session, uint64_t id) {
      auto request = session.exportFunctionRequest();
      request.setRequestId(id);
      request.setKind(function.kind);
      request.setLanguage(function.language);
      request.setName(text_of(function.name));
      request.setCode(data_of(function.code));
      return ask<uint32_t>(request, [](auto& response) { return response.getIndex(); });
    });
  }

  Result<FunctionInfo> fetch_function(uint32_t index, int64_t timeout_ns) override {
    return call<FunctionInfo>(timeout_ns, Repeat::kNo, [index](Session::Client& session, uint64_t) {
      auto request = session.fetchFunctionRequest();
      request.setIndex(index);
      return ask<FunctionInfo>(request, [](auto& response) {
        return FunctionInfo{response.getKind(), response.getLanguage(), to_string(response.getName()),
                            to_string(response.getCode())};
      });
    });
  }

  Result<ActorInfo> create_actor(const ActorSpec& spec, int64_t timeout_ns) override {
    SABIR_RETURN_IF_ERROR(check_payload(spec.class_info.size() + spec.name.size() + spec.class_name.size()));
    return call<ActorInfo>(timeout_ns, Repeat::kYes, [spec](Session::Client& session, uint64_t id) {
      auto request = session.createActorRequest();
      request.setRequestId(id);
      write(spec, request.initSpec());
      return ask<ActorInfo>(request, [](auto& response) { return read(response.getInfo()); });
    });
  }

  Result<ActorInfo> get_actor(const std::string& name, const std::string& name_space, int64_t timeout_ns) override {
    return call<ActorInfo>(timeout_ns, Repeat::kNo, [name, name_space](Session::Client& session, uint64_t) {
      auto request = session.getActorRequest();
      request.setName(text_of(name));
      request.setNamespace(text_of(name_space));
      return ask<ActorInfo>(request, [](auto& response) { return read(response.getInfo()); });
    });
  }

  Result<ActorDescription> describe_actor(uint32_t actor, uint64_t generation, int64_t timeout_ns) override {
    return call<ActorDescription>(timeout_ns, Repeat::kNo, [actor, generation](Session::Client& session, uint64_t) {
      auto request = session.describeActorRequest();
      request.setActor(actor);
      request.setGeneration(generation);
      return ask<ActorDescription>(request, [](auto& response) {
        return ActorDescription{read(response.getInfo()), to_string(response.getError()), response.getCrashed()};
      });
    });
  }

  Result<void> kill_actor(uint32_t actor, bool no_restart, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [actor, no_restart](Session::Client& session, uint64_t id) {
      auto request = session.killActorRequest();
      request.setRequestId(id);
      request.setActor(actor);
      request.setNoRestart(no_restart);
      return command(request);
    });
  }

  Result<void> actor_started(uint32_t actor, uint32_t incarnation, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [actor, incarnation](Session::Client& session, uint64_t id) {
      auto request = session.actorStartedRequest();
      request.setRequestId(id);
      request.setActor(actor);
      request.setIncarnation(incarnation);
      return command(request);
    });
  }

  Result<void> leave(std::string crash, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [crash = std::move(crash)](Session::Client& session, uint64_t id) {
      auto request = session.leaveRequest();
      request.setRequestId(id);
      request.setCrash(text_of(crash));
      return command(request);
    });
  }

  Result<void> create_group(const GroupSpec& spec, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [spec](Session::Client& session, uint64_t id) {
      auto request = session.createGroupRequest();
      request.setRequestId(id);
      write(spec, request.initSpec());
      return command(request);
    });
  }

  Result<bool> watch_group(const std::string& group, int64_t timeout_ns) override {
    return call<bool>(timeout_ns, Repeat::kYes, [group](Session::Client& session, uint64_t id) {
      auto request = session.watchGroupRequest();
      request.setRequestId(id);
      request.setId(data_of(group));
      return ask<bool>(request, [](auto& response) { return response.getReady(); });
    });
  }

  Result<void> remove_group(const std::string& group, int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [group](Session::Client& session, uint64_t id) {
      auto request = session.removeGroupRequest();
      request.setRequestId(id);
      request.setId(data_of(group));
      return command(request);
    });
  }

  Result<std::string> find_groups(const GroupQuery& query, int64_t timeout_ns) override {
    return call<std::string>(timeout_ns, Repeat::kNo, [query](Session::Client& session, uint64_t) {
      auto request = session.findGroupsRequest();
      request.setId(data_of(query.id));
      request.setName(text_of(query.name));
      request.setNamespace(text_of(query.name_space));
      return ask<std::string>(request, [](auto& response) { return to_string(response.getJson()); });
    });
  }

  Result<bool> kv_put(const std::string& key, const std::string& value, bool overwrite, int64_t timeout_ns) override {
    SABIR_RETURN_IF_ERROR(check_payload(key.size() + value.size()));
    return call<bool>(timeout_ns, Repeat::kYes, [key, value, overwrite](Session::Client& session, uint64_t id) {
      auto request = session.kvPutRequest();
      request.setRequestId(id);
      request.setKey(text_of(key));
      request.setValue(data_of(value));
      request.setOverwrite(overwrite);
      return ask<bool>(request, [](auto& response) { return response.getAdded(); });
    });
  }

  Result<std::string> kv_get(const std::string& key, int64_t timeout_ns) override {
    return call<std::string>(timeout_ns, Repeat::kNo, [key](Session::Client& session, uint64_t) {
      auto request = session.kvGetRequest();
      request.setKey(text_of(key));
      return ask<std::string>(request, [](auto& response) -> Result<std::string> {
        if (!response.getFound()) {
          return not_found_error("no value under this key");
        }
        return to_string(response.getValue());
      });
    });
  }

  Result<bool> kv_delete(const std::string& key, int64_t timeout_ns) override {
    return call<bool>(timeout_ns, Repeat::kYes, [key](Session::Client& session, uint64_t id) {
      auto request = session.kvDeleteRequest();
      request.setRequestId(id);
      request.setKey(text_of(key));
      return ask<bool>(request, [](auto& response) { return response.getDeleted(); });
    });
  }

  Result<std::string> status(int64_t timeout_ns) override {
    return call<std::string>(timeout_ns, Repeat::kNo, [](Session::Client& session, uint64_t) {
      auto request = session.statusRequest();
      return ask<std::string>(request, [](auto& response) { return to_string(response.getJson()); });
    });
  }

  Result<void> stop(int64_t timeout_ns) override {
    return call<void>(timeout_ns, Repeat::kYes, [](Session::Client& session, uint64_t id) {
      auto request = session.stopRequest();
      request.setRequestId(id);
      return command(request);
    });
  }

  Result<std::string> drain(const std::string& node, int64_t deadline_ns, int64_t timeout_ns) override {
    return call<std::string>(timeout_ns, Repeat::kYes, [node, deadline_ns](Session::Client& session, uint64_t id) {
      auto request = session.drainRequest();
      request.setRequestId(id);
      request.setNode(text_of(node));
      request.setDeadlineNs(deadline_ns);
      return ask<std::string>(request, [](auto& response) { return to_string(response.getNodeId()); });
    });
  }

  void post_start_actor(uint32_t actor, std::string args, std::vector<EntryKey> refs) override {
    post("start an actor",
         [actor, args = std::move(args), refs = std::move(refs)](Session::Client& session, uint64_t id) {
           auto request = session.startActorRequest();
           request.setRequestId(id);
           request.setActor(actor);
           request.setArgs(data_of(args));
           write_all(refs, request.initRefs(static_cast<kj::uint>(refs.size())));
           return command(request);
         });
  }

  void post_fail_actor(uint32_t actor, std::string message, std::string error) override {
    post("fail an actor",
         [actor, message = std::move(message), error = std::move(error)](Session::Client& session, uint64_t id) {
           auto request = session.failActorRequest();
           request.setRequestId(id);
           request.setActor(actor);
           request.setMessage(text_of(message));
           request.setError(data_of(error));
           return command(request);
         });
  }

  void post_return_loan(uint64_t offset) override { post("return a loan", return_loan_request(offset)); }

 private:
  // `send(session, request_id)` runs on the control thread and gives a promise of Result<T>; it may run twice.
  // `on_late` gets a result that came after the deadline, on the control thread.
  template <typename T, typename Send>
  Result<T> call(int64_t timeout_ns, Repeat repeat, Send send, typename TypedPendingCall<T>::OnLate on_late = nullptr) {
    auto pending = std::make_shared<TypedPendingCall<T>>(std::move(on_late));
    struct Request {
      Send send;
      uint64_t id = 0;  // none yet
    };
    auto request = std::make_shared<Request>(Request{std::move(send)});
    ControlThread::Task attempt = [pending, request](ControlWire& wire) {
      if (pending->ended()) {
        return;
      }
      if (request->id == 0) {
        if (!wire.open(pending)) {
          pending->fail(exhausted_error("too many calls wait for the node"));
          return;
        }
        // In the order in which they go out: the node tells new ids from forgotten ones by that.
        request->id = wire.next_request_id();
      }
      auto answer = kj::evalNow([&] { return request->send(wire.session(), request->id); });
      wire.run(answer.then(
          [pending, &wire](Result<T>&& result) {
            wire.close(pending);
            pending->end(std::move(result));
          },
          [pending, &wire](kj::Exception&& exception) {
            wire.close(pending);
            pending->end(error_from(exception));
          }));
    };
    auto now = std::chrono::steady_clock::now();
    std::chrono::nanoseconds timeout(std::clamp<int64_t>(timeout_ns, 0, kLongestTimeoutNs));
    SABIR_RETURN_IF_ERROR(control_.post(attempt));
    if (repeat == Repeat::kYes && !pending->wait_until(now + timeout / 2)) {
      SABIR_RETURN_IF_ERROR(control_.post(attempt));
    }
    pending->wait_until(now + timeout);
    return pending->take();
  }

  template <typename Send>
  void post(const char* what, Send send) {
    auto shared = std::make_shared<Send>(std::move(send));
    // A connection that is over has no use for it.
    (void)control_.post([this, what, shared](ControlWire& wire) {
      wire.queue([this, what, shared, &wire] {
        auto answer = (*shared)(wire.session(), wire.next_request_id());
        return answer.then([this, what](Result<void>&& result) { warn_of(what, result); },
                           [this, what](kj::Exception&& exception) { warn_of(what, error_from(exception)); });
      });
    });
  }

  void warn_of(const char* what, const Result<void>& result) {
    // Nobody waits for it, so the user is the only one to tell; not of the end, of which everybody hears.
    if (!result.ok() && result.error().kind() != ErrorKind::kDisconnected) {
      handler_->on_warn("could not " + std::string(what) + ": " + result.error().to_string());
    }
  }

  UniqueFd socket_;  // until start()
  WelcomeInfo welcome_;
  NoticeHandler* handler_ = nullptr;
  std::mutex late_mutex_;
  std::array<std::vector<uint32_t>, 3> late_lends_;  // by LendKind
  ControlThread control_;                            // gone first: its thread uses the rest
};

}  // namespace

Result<std::unique_ptr<SessionClient>> SessionClient::handshake(UniqueFd socket, const HelloInfo& hello,
                                                                int64_t timeout_ns) {
  SABIR_ASSIGN_OR_RETURN(WelcomeInfo welcome, shake_hands(socket.get(), hello, timeout_ns));
  return std::unique_ptr<SessionClient>(std::make_unique<Client>(std::move(socket), std::move(welcome)));
}

Result<std::unique_ptr<SessionClient>> SessionClient::connect(const std::string& session_path, const HelloInfo& hello,
                                                              int64_t timeout_ns) {
  SteadyClock clock;
  int64_t start_ns = clock.now_ns();
  SABIR_RETURN_IF_ERROR(check_session_directory(session_path, geteuid()));
  SABIR_ASSIGN_OR_RETURN(UniqueFd socket, connect_to(session_path, timeout_ns));
  return handshake(std::move(socket), hello, timeout_ns - (clock.now_ns() - start_ns));
}

}  // namespace sabir::rpc
