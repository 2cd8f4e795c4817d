#include "runtime/node/zygote.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace sabir::node {
namespace {

using Json = nlohmann::json;

// Of a zygote that closed its socket: so long it may take to exit by itself, with its own exit code.
constexpr int64_t kExitGraceNs = 1'000'000'000;

// Must not throw on bytes that are not UTF-8.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string text_of(const Json& packet, const char* name) {
  auto found = packet.find(name);
  return found != packet.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Zygote::Zygote(loop::EventLoop& loop, SpawnedProcess process, UniqueFd socket, Events events)
    : process_(std::move(process)),
      socket_(std::move(socket)),
      events_(std::move(events)),
      grace_(std::make_unique<loop::Timer>(loop, [this] { signal_pidfd(process_.pidfd.get(), SIGKILL); })) {}

Result<std::unique_ptr<Zygote>> Zygote::start(loop::EventLoop& loop, SpawnRequest request, Events events) {
  request.argv.push_back(std::to_string(kChannelFd));
  SABIR_ASSIGN_OR_RETURN(ChannelProcess started, spawn_with_channel(std::move(request), SOCK_SEQPACKET));
  std::unique_ptr<Zygote> zygote(
      new Zygote(loop, std::move(started.process), std::move(started.channel), std::move(events)));
  Zygote* self = zygote.get();
  SABIR_ASSIGN_OR_RETURN(
      self->socket_watcher_,
      loop::FdWatcher::create(loop, self->socket_.get(), [self](uint32_t ready) { self->on_socket(ready); }));
  SABIR_ASSIGN_OR_RETURN(self->process_watcher_,
                         loop::FdWatcher::create(loop, self->process_.pidfd.get(), [self](uint32_t) {
                           // What it said before it ended comes first.
                           if (self->receive()) {
                             std::optional<int> status = reap(self->process_.pid);
                             self->end(status ? describe_wait_status(*status) : "unknown end");
                           }
                         }));
  self->socket_watcher_->watch(loop::kReadable | loop::kHungUp);
  self->process_watcher_->watch(loop::kReadable);
  return zygote;
}

Zygote::~Zygote() {
  *alive_ = false;
  socket_watcher_.reset();
  process_watcher_.reset();
  if (!ended_) {
    kill_process_group(process_.pid, process_.pidfd.get());
    // It was killed: this does not take long.
    ::waitpid(process_.pid, nullptr, 0);
  }
}

void Zygote::retire() {
  ::shutdown(socket_.get(), SHUT_WR);
  grace_->start_once(kExitGraceNs);
}

void Zygote::on_socket(uint32_t ready) {
  if ((ready & loop::kWritable) != 0) {
    send_queued();
  }
  if ((ready & (loop::kReadable | loop::kHungUp)) != 0) {
    receive();
  }
}

bool Zygote::receive() {
  std::string packet(kMaxZygotePacketBytes, '\0');
  while (true) {
    // Descriptors that come along are not wanted: without a control buffer the kernel drops them.
    ssize_t size_bytes = ::recv(socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size_bytes < 0 && (errno == EAGAIN || errno == EINTR)) {
      return true;
    }
    if (size_bytes <= 0) {
      // Its end is closed: it has ended, or is about to. The pidfd says how.
      socket_watcher_->watch(0);
      grace_->start_once(kExitGraceNs);
      return true;
    }
    std::shared_ptr<bool> alive = alive_;
    if (!handle(packet.substr(0, static_cast<size_t>(size_bytes))) || !*alive) {
      return false;
    }
  }
}

bool Zygote::handle(const std::string& text) {
  Json packet = Json::parse(text, nullptr, false);
  if (!packet.is_object()) {
    kill_process_group(process_.pid, process_.pidfd.get());
    ::waitpid(process_.pid, nullptr, 0);
    end("it sent a packet that is no JSON object");
    return false;
  }
  if (packet.contains("ready")) {
    ready_ = true;
    auto warm = packet.find("warm");
    warm_ = warm != packet.end() && warm->is_boolean() && warm->get<bool>();
    events_.ready(warm_);
  } else if (std::string forked = text_of(packet, "forked"); !forked.empty()) {
    auto pid = packet.find("pid");
    int64_t number = pid != packet.end() && pid->is_number_integer() ? pid->get<int64_t>() : 0;
    if (owed_.erase(forked) != 0) {
      if (number > 1 && number <= INT32_MAX) {
        events_.forked(forked, static_cast<pid_t>(number));
      } else {
        events_.fork_failed(forked, "the zygote named no process");
      }
    }
  } else if (std::string failed = text_of(packet, "failed"); !failed.empty()) {
    if (owed_.erase(failed) != 0) {
      events_.fork_failed(failed, text_of(packet, "error"));
    }
  }
  return true;
}

void Zygote::fork(ForkRequest request) {
  Json environment = Json::object();
  for (const auto& [name, value] : request.environment) {
    environment[name] = value;
  }
  Json packet = {{"fork", request.token}, {"session", request.session}, {"env", environment}};
  owed_.insert(request.token);
  queued_.push_back({dump(packet), std::move(request.output), std::move(request.error)});
  send_queued();
}

void Zygote::warm_up() {
  Json packet = {{"warm_up", {{"path", Json::array()}, {"modules", Json::array()}}}};
  queued_.push_back({dump(packet), UniqueFd(), UniqueFd()});
  send_queued();
}

bool Zygote::send(const Packet& packet) {
  iovec part = {const_cast<char*>(packet.text.data()), packet.text.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  if (packet.output) {
    int fds[2] = {packet.output.get(), packet.error.get()};
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(fds));
    std::memcpy(CMSG_DATA(header), fds, sizeof(fds));
  }
  // Any other error: the socket is dead, and the pidfd will tell.
  return ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno != EAGAIN;
}

void Zygote::send_queued() {
  while (!queued_.empty() && send(queued_.front())) {
    queued_.pop_front();
  }
  socket_watcher_->watch(loop::kReadable | loop::kHungUp | (queued_.empty() ? 0 : loop::kWritable));
}

void Zygote::end(std::string how) {  // NOLINT(performance-unnecessary-value-param): may be of this object
  ended_ = true;
  socket_watcher_.reset();
  process_watcher_.reset();
  // The callback may destroy this object, and with it the callback.
  auto ended = std::move(events_.ended);
  ended(how);
}

}  // namespace sabir::node
