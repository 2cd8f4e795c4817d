#include "runtime/rpc/testing/fake_handler.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace sabir::rpc {

namespace {

UniqueFd memfd_of(const std::string& content) {
  UniqueFd fd(memfd_create(content.c_str(), MFD_CLOEXEC));
  (void)!write(fd.get(), content.data(), content.size());
  return fd;
}

}  // namespace

FakeHandler::FakeHandler() = default;

const std::vector<std::string>& FakeHandler::fd_names() {
  static const std::vector<std::string> kNames{"node", "calls", "objects", "doorbell"};
  return kNames;
}

std::vector<std::string> FakeHandler::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

size_t FakeHandler::count(const std::string& call) const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::count(calls_.begin(), calls_.end(), call));
}

std::shared_ptr<NoticeSink> FakeHandler::notices() const {
  std::lock_guard lock(mutex_);
  return notices_;
}

void FakeHandler::refuse_hellos(Error error) {
  std::lock_guard lock(mutex_);
  refusal_.emplace(std::move(error));
}

void FakeHandler::note(std::string call) {
  std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}

void FakeHandler::answer(std::function<void()> reply) {
  if (holding_) {
    held_.push_back(std::move(reply));
  } else {
    reply();
  }
}

void FakeHandler::release() {
  holding_ = false;
  for (auto& reply : std::exchange(held_, {})) {
    reply();
  }
}

Result<WelcomeInfo> FakeHandler::on_hello(HelloInfo hello, PeerCredentials peer) {
  std::lock_guard lock(mutex_);
  if (refusal_.has_value()) {
    return *refusal_;
  }
  peer_pid_ = static_cast<uint32_t>(peer.pid);
  WelcomeInfo welcome;
  welcome.session_id = std::string(16, 's');
  welcome.node_id = std::string(16, 'n');
  welcome.session_path = "/session";
  welcome.daemon_version = "fake";
  welcome.job_config = hello.job;
  if (hello.kind != HelloKind::kObserver) {
    welcome.process = {7, ++incarnations_};
    welcome.node_fd = memfd_of(fd_names()[0]);
    welcome.calls_fd = memfd_of(fd_names()[1]);
    welcome.objects_fd = memfd_of(fd_names()[2]);
    welcome.daemon_doorbell_fd = memfd_of(fd_names()[3]);
  }
  if (hello.kind == HelloKind::kWorker) {
    welcome.actor = {true, 3, 4, std::string(16, 'a'), 5, "arguments of " + hello.token, 6, "hosted"};
  }
  return welcome;
}

void FakeHandler::on_ready(ProcessKey, std::shared_ptr<NoticeSink> notices) {
  std::lock_guard lock(mutex_);
  notices_ = std::move(notices);
  ++ready_;
}

void FakeHandler::on_disconnect(ProcessKey) {
  std::lock_guard lock(mutex_);
  notices_.reset();
  ++disconnects_;
}

void FakeHandler::lend(ProcessKey, LendKind kind, Reply<uint32_t> reply) {
  note("lend " + std::to_string(static_cast<int>(kind)));
  answer([reply, index = ++lent_] { reply(index); });
}

void FakeHandler::loan(ProcessKey, uint64_t size_bytes, int64_t wait_ns, Reply<LoanInfo> reply) {
  note("loan " + std::to_string(size_bytes) + " " + std::to_string(wait_ns));
  answer([reply, size_bytes] {
    if (size_bytes > (1u << 30)) {
      reply(store_full_error("objects of job 1 fill the store"));
    } else {
      reply(LoanInfo{4096, size_bytes, true});
    }
  });
}

void FakeHandler::return_loan(ProcessKey, uint64_t offset, Reply<void> reply) {
  note("return_loan " + std::to_string(offset));
  answer([reply, offset] { reply(offset == 0 ? Result<void>(invalid_error("no such loan")) : Result<void>()); });
}

void FakeHandler::declare_class(ProcessKey, uint8_t language, std::vector<ResourceAmount> resources,
                                Scheduling scheduling, Reply<ClassInfo> reply) {
  note("declare_class");
  answer([reply, language, resources, scheduling] {
    std::string text;
    for (const ResourceAmount& resource : resources) {
      text += resource.name + "=" + std::to_string(resource.units) + " ";
    }
    for (const LabelCondition& label : scheduling.labels) {
      text += label.key + ":" + label.text + " ";
    }
    for (const LabelConditions& labels : scheduling.fallback) {
      text += "else " + labels.at(0).key + ":" + labels.at(0).text + " ";
    }
    text += scheduling.node_id + (scheduling.soft ? " soft" : "");
    reply(ClassInfo{language, static_cast<uint32_t>(resources.size()), text});
  });
}

void FakeHandler::export_function(ProcessKey, FunctionInfo function, Reply<uint32_t> reply) {
  note("export_function " + function.name);
  functions_.push_back(std::move(function));
  answer([reply, index = functions_.size() - 1] { reply(static_cast<uint32_t>(index)); });
}

void FakeHandler::fetch_function(ProcessKey, uint32_t index, Reply<FunctionInfo> reply) {
  note("fetch_function");
  if (index >= functions_.size()) {
    reply(not_found_error("no function " + std::to_string(index)));
  } else {
    reply(functions_[index]);
  }
}

void FakeHandler::create_actor(ProcessKey, ActorSpec spec, Reply<ActorInfo> reply) {
  note("create_actor " + spec.name);
  if (actors_.contains(spec.name) && !spec.get_if_exists) {
    reply(already_exists_error("an actor is called " + spec.name));
    return;
  }
  bool existed = actors_.contains(spec.name);
  ActorInfo info{static_cast<uint32_t>(actors_.size()),
                 2,
                 3,
                 std::string(16, 'i'),
                 spec.name,
                 spec.class_name,
                 spec.class_info,
                 spec.language,
                 spec.max_task_retries,
                 existed};
  actors_.emplace(spec.name, info);
  answer([reply, info] { reply(info); });
}

void FakeHandler::start_actor(ProcessKey, uint32_t actor, std::string args, std::vector<EntryKey> refs,
                              Reply<void> reply) {
  note("start_actor " + std::to_string(actor) + " " + args + " " + std::to_string(refs.size()));
  reply(actor == 404 ? Result<void>(not_found_error("no such actor")) : Result<void>());
}

void FakeHandler::fail_actor(ProcessKey, uint32_t actor, std::string message, std::string error, Reply<void> reply) {
  note("fail_actor " + std::to_string(actor) + " " + message + " " + error);
  reply({});
}

void FakeHandler::actor_started(ProcessKey, uint32_t actor, uint32_t incarnation, Reply<void> reply) {
  note("actor_started " + std::to_string(actor) + " " + std::to_string(incarnation));
  reply({});
}

void FakeHandler::get_actor(ProcessKey, std::string name, std::string name_space, Reply<ActorInfo> reply) {
  note("get_actor " + name + " in " + name_space);
  auto found = actors_.find(name);
  reply(found == actors_.end() ? Result<ActorInfo>(not_found_error("no actor " + name))
                               : Result<ActorInfo>(found->second));
}

void FakeHandler::describe_actor(ProcessKey, uint32_t actor, uint64_t generation, Reply<ActorDescription> reply) {
  note("describe_actor " + std::to_string(actor));
  ActorDescription description;
  description.info.generation = generation;
  description.error = "why it ended";
  reply(description);
}

void FakeHandler::kill_actor(ProcessKey, uint32_t actor, bool no_restart, Reply<void> reply) {
  note("kill_actor " + std::to_string(actor) + (no_restart ? " for good" : ""));
  reply({});
}

void FakeHandler::leave(ProcessKey, std::string, Reply<void> reply) {
  note("leave");
  reply({});
}

void FakeHandler::kv_put(ProcessKey, std::string key, std::string value, bool overwrite, Reply<bool> reply) {
  note("kv_put " + key);
  bool added = values_.emplace(key, value).second;
  if (!added && overwrite) {
    values_[key] = value;
  }
  answer([reply, added] { reply(added); });
}

void FakeHandler::kv_get(ProcessKey, std::string key, Reply<std::string> reply) {
  note("kv_get " + key);
  auto found = values_.find(key);
  reply(found == values_.end() ? Result<std::string>(not_found_error(key)) : Result<std::string>(found->second));
}

void FakeHandler::create_group(ProcessKey, GroupSpec spec, Reply<void> reply) {
  note("create_group " + spec.name);
  groups_.push_back(std::move(spec));
  reply({});
}

void FakeHandler::watch_group(ProcessKey, std::string id, Reply<bool> reply) {
  note("watch_group");
  bool known = std::any_of(groups_.begin(), groups_.end(), [&](const GroupSpec& one) { return one.id == id; });
  known ? reply(true) : reply(Error(ErrorKind::kGroupRemoved, "no such group"));
}

void FakeHandler::remove_group(ProcessKey, std::string id, Reply<void> reply) {
  note("remove_group");
  std::erase_if(groups_, [&](const GroupSpec& one) { return one.id == id; });
  reply({});
}

void FakeHandler::find_groups(ProcessKey, GroupQuery, Reply<std::string> reply) {
  note("find_groups");
  reply("[" + std::to_string(groups_.size()) + "]");
}

void FakeHandler::kv_delete(ProcessKey, std::string key, Reply<bool> reply) {
  note("kv_delete " + key);
  reply(values_.erase(key) > 0);
}

void FakeHandler::status(Reply<std::string> reply) {
  note("status");
  answer([reply] { reply(std::string("{\"fake\":true}")); });
}

void FakeHandler::stop(ProcessKey, Reply<void> reply) {
  note("stop");
  reply({});
}

void FakeHandler::drain(std::string node, int64_t deadline_ns, Reply<std::string> reply) {
  note("drain " + node + " " + std::to_string(deadline_ns));
  reply(node + "0000");
}

}  // namespace sabir::rpc
