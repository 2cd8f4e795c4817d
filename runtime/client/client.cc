#include "runtime/client/client.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <utility>

#include "runtime/base/clock.h"
#include "runtime/client/actors.h"
#include "runtime/client/dispatch.h"
#include "runtime/client/groups.h"
#include "runtime/client/lineage.h"
#include "runtime/client/progress.h"
#include "runtime/client/refs.h"
#include "runtime/client/wait_room.h"
#include "runtime/rpc/release.h"

namespace sabir::client {
namespace {

const SteadyClock& steady_clock() {
  static const SteadyClock kClock;
  return kClock;
}

constexpr int64_t kConnectTimeoutNs = 30 * kSecondNs;
constexpr int64_t kNodeEndPatienceNs = 10 * kSecondNs;

// Of a driver that visits a cluster: a member as long as it runs, which takes no work.
Result<NodeOptions> visiting_node(const NodeOptions& given, const std::string& join_string) {
  if (!given.resources.empty()) {
    return invalid_error("a driver that joins a cluster from outside brings no resources");
  }
  NodeOptions options = given;
  options.cluster = NodeOptions::Cluster::kJoin;
  options.join_string = join_string;
  options.resources = {{"CPU", 0}, {"memory", 0}};
  constexpr std::string_view kInsecure = "#insecure";
  options.insecure = join_string.ends_with(kInsecure);
  return options;
}

}  // namespace

std::string to_string(sabir_string text) { return text.size == 0 ? std::string() : std::string(text.data, text.size); }

Result<std::vector<rpc::ResourceAmount>> convert_resources(const sabir_resource* resources, size_t count) {
  constexpr double kUnits = 10000;
  constexpr double kMost = 1e13;  // far beyond any machine, and its units fit into 64 bits
  std::vector<rpc::ResourceAmount> converted;
  for (size_t i = 0; i < count; ++i) {
    double amount = resources[i].amount;
    std::string name = to_string(resources[i].name);
    if (name.empty() || !(amount >= 0) || amount > kMost) {
      return invalid_error("resource '" + name + "': an amount of at least 0 and a name are needed");
    }
    auto units = static_cast<int64_t>(std::llround(amount * kUnits));
    if (units == 0 && amount > 0) {
      return invalid_error("resource '" + name + "': amounts are counted in units of 0.0001");
    }
    converted.push_back({std::move(name), units});
  }
  return converted;
}

Result<std::unique_ptr<Client>> Client::start_driver(const DriverOptions& options) {
  rpc::HelloInfo hello = rpc::hello_of(rpc::HelloKind::kDriver);
  hello.job = options.job;
  int64_t timeout_ns = options.timeout_ns < 0 ? INT64_MAX / 2 : options.timeout_ns;
  std::string wanted = wanted_address(options.address);
  if (is_join_string(wanted)) {
    SABIR_ASSIGN_OR_RETURN(NodeOptions visitor, visiting_node(options.node, wanted));
    return start_with_node(visitor, hello, timeout_ns);
  }
  Result<std::string> running = find_session(options.address, options.node.session_root);
  bool may_start = wanted.empty() || wanted == "local";
  if (running.ok()) {
    SABIR_ASSIGN_OR_RETURN(auto session, rpc::SessionClient::connect(*running, hello, timeout_ns));
    return join(std::move(session), false);
  }
  if (!may_start) {
    return std::move(running).error();
  }
  return start_with_node(options.node, hello, timeout_ns);
}

Result<std::unique_ptr<Client>> Client::start_with_node(const NodeOptions& options, const rpc::HelloInfo& hello,
                                                        int64_t timeout_ns) {
  SteadyClock clock;
  int64_t deadline_ns = clock.now_ns() + timeout_ns;
  SABIR_ASSIGN_OR_RETURN(StartedNode node, start_node(options));
  Result<std::unique_ptr<rpc::SessionClient>> session =
      rpc::SessionClient::handshake(std::move(node.socket), hello, timeout_ns);
  if (!session.ok()) {
    dismiss_node(node.pid, kNodeEndPatienceNs);
    std::string words = last_words(node.words.get());
    if (!words.empty()) {
      return Error(session.error().kind(), "the node that was started said: " + words);
    }
    return std::move(session).error().with_context("the node that was started");
  }
  if (options.cluster == NodeOptions::Cluster::kJoin) {
    if (Result<void> member = await_member(node, deadline_ns - clock.now_ns()); !member.ok()) {
      session->reset();  // it ends with its driver
      reap_node(node.pid, kNodeEndPatienceNs);
      return std::move(member).error();
    }
  }
  Result<std::unique_ptr<Client>> client = join(*std::move(session), false);
  if (!client.ok()) {
    reap_node(node.pid, kNodeEndPatienceNs);
    return client;
  }
  if (options.insecure) {
    (*client)->notices_->on_warn("the cluster is insecure: everybody on the network can read, change and run things");
  }
  (*client)->node_pid_ = node.pid;
  (*client)->node_words_ = std::move(node.words);
  return client;
}

Result<std::unique_ptr<Client>> Client::start_worker(const std::string& session_path, const std::string& token) {
  auto from_environment = [](const std::string& given, const char* variable) {
    const char* value = given.empty() ? std::getenv(variable) : nullptr;
    return value == nullptr ? given : std::string(value);
  };
  std::string path = from_environment(session_path, "SABIR_SESSION");
  rpc::HelloInfo hello = rpc::hello_of(rpc::HelloKind::kWorker);
  hello.token = from_environment(token, "SABIR_WORKER_TOKEN");
  if (path.empty() || hello.token.empty()) {
    return invalid_error("a worker is started by its node, with SABIR_SESSION and SABIR_WORKER_TOKEN");
  }
  SABIR_ASSIGN_OR_RETURN(auto session, rpc::SessionClient::connect(path, hello, kConnectTimeoutNs));
  return join(std::move(session), true);
}

Result<std::unique_ptr<Client>> Client::join(std::unique_ptr<rpc::SessionClient> session, bool is_worker) {
  UniqueFd objects_fd(::fcntl(session->welcome().objects_fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!objects_fd.valid()) {
    return Error::from_errno(errno, "dup the objects segment");
  }
  SABIR_ASSIGN_OR_RETURN(auto membership, Membership::join(std::move(session), is_worker, steady_clock()));
  auto core = std::make_unique<Core>(std::move(membership), std::move(objects_fd), Anchor::acquire());
  std::unique_ptr<Client> client(new Client(std::move(core)));
  client->core_->anchor->set_client(client.get());
  SABIR_RETURN_IF_ERROR(client->open());
  return client;
}

Result<void> Client::open() {
  SABIR_ASSIGN_OR_RETURN(notice_queue_, EventQueue::create());
  notices_ = std::make_unique<Notices>(*core_, notice_queue_);
  SABIR_RETURN_IF_ERROR(core_->self.session().start(notices_.get()));
  {
    // The first calls find cells.
    Lock lock(core_->lock);
    SABIR_RETURN_IF_ERROR(core_->lendings.lend(rpc::LendKind::kCells, lock));
  }
  return core_->progress->start();
}

Client::~Client() {
  if (forked()) {
    // Nothing of this process: its threads are gone, its locks may be held for ever.
    (void)core_.release();
    (void)notices_.release();
    return;
  }
  shutdown();
  Lock lock(core_->lock);
  core_->lineage->abandon_all();
  core_->dispatcher->abandon_all();
  core_->actors->abandon_all();
  core_->refs->abandon_all();
  core_->refs->reclaim();
  auto live = static_cast<int64_t>(core_->refs->live_count());
  lock.unlock();
  // Whoever releases the last handle ends it: now, if there is none.
  Anchor* anchor = core_->anchor;
  anchor->set_client(nullptr);
  anchor->orphan(core_.release(), live);
}

void Client::shutdown() {
  std::lock_guard guard(shutdown_lock_);
  if (std::exchange(shut_down_, true)) {
    return;
  }
  core_->closing.store(true, std::memory_order_seq_cst);
  core_->ring.close();
  for (;;) {
    Lock lock(core_->lock);
    if (core_->waiting->inside() == 0) {
      break;
    }
    core_->waiting->wake_all();
    core_->waiting->wake_listeners();
    lock.unlock();
    core_->waiting->nudge();
    timespec slice = {0, 100'000};
    ::nanosleep(&slice, nullptr);
  }
  // Calls in flight on the control channel end with CLOSED, also those of the progress thread.
  core_->self.session().close();
  core_->progress->stop();
  core_->groups->close();
  if (node_pid_ > 0) {
    reap_node(std::exchange(node_pid_, -1), kNodeEndPatienceNs);
    std::string words = last_words(node_words_.get());
    if (!words.empty()) {
      // Nobody else will ever see them.
      words += '\n';
      (void)!::write(STDERR_FILENO, words.data(), words.size());
    }
  }
}

Result<void> Client::check() const {
  if (forked()) {
    return Error(ErrorKind::kForked, "this process is a fork of the one that started the client");
  }
  return core_->check_open();
}

Error Client::over() const {
  Result<void> open = core_->check_open();
  return open.ok() ? closed_error("this client was shut down") : std::move(open).error();
}

}  // namespace sabir::client
