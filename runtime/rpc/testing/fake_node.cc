#include "runtime/rpc/testing/fake_node.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <future>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/rpc/peer.h"

namespace sabir::rpc {

FakeNode::FakeNode(SessionServerOptions options) {
  char pattern[] = "/tmp/sabir-rpc-XXXXXX";
  SABIR_CHECK(mkdtemp(pattern) != nullptr);
  path_ = pattern;
  std::promise<void> listening;
  thread_ = std::thread([this, &options, &listening] {
    server_ =
        std::make_unique<SessionServer>(loop_, handler_, Logger(2, LogLevel::kWarning, "fake"), std::move(options));
    server_->listen(path_).value();
    listening.set_value();
    loop_.run();
    server_.reset();
  });
  listening.get_future().wait();
}

FakeNode::~FakeNode() {
  loop_.stop();
  thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void FakeNode::on_loop(const std::function<void(SessionServer&)>& task) {
  std::promise<void> done;
  loop_.post([&] {
    task(*server_);
    done.set_value();
  });
  done.get_future().wait();
}

uint32_t FakeNode::connections() {
  uint32_t count = 0;
  on_loop([&count](SessionServer& server) { count = server.connection_count(); });
  return count;
}

UniqueFd FakeNode::dial() const { return connect_to(path_, kSecondNs).value(); }

std::unique_ptr<SessionClient> FakeNode::client(NoticeHandler* handler, const HelloInfo& hello) {
  auto client = SessionClient::connect(path_, hello, 10 * kSecondNs).value();
  client->start(handler).value();
  return client;
}

HelloInfo FakeNode::hello_of(HelloKind kind) {
  HelloInfo hello;
  hello.kind = kind;
  hello.layout_hash = 42;
  hello.library = "test";
  hello.token = "token";
  return hello;
}

HelloInfo FakeNode::driver_hello() {
  HelloInfo hello = hello_of(HelloKind::kDriver);
  hello.job.name = "job";
  hello.job.name_space = "space";
  hello.job.language_envs = {{1, LaunchMode::kZygote, {"python", "-m", "zygote"}}, {2, LaunchMode::kExec, {"worker"}}};
  hello.job.opaque = std::string("\0opaque", 7);
  return hello;
}

bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) {
      return true;
    }
    timespec pause{0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  return condition();
}

void FakeNotices::note(std::string event) {
  std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
}

std::vector<std::string> FakeNotices::events() const {
  std::lock_guard lock(mutex_);
  return events_;
}

bool FakeNotices::has(const std::string& event) const {
  std::lock_guard lock(mutex_);
  return std::find(events_.begin(), events_.end(), event) != events_.end();
}

void FakeNotices::on_log(std::vector<LogLines> lines) {
  if (in_log) {
    in_log();
  }
  for (const LogLines& line : lines) {
    note("log " + std::to_string(line.pid) + " " + line.task_name + ": " + line.text + " " +
         std::to_string(line.dropped_lines));
  }
}
void FakeNotices::on_warn(std::string text) { note("warn " + text); }
void FakeNotices::on_collect() { note("collect"); }
void FakeNotices::on_exit(std::string reason) { note("exit " + reason); }
void FakeNotices::on_objects(std::vector<ObjectChange> changes) {
  for (const ObjectChange& change : changes) {
    note("object " + std::to_string(static_cast<int>(change.kind)) + " " + std::to_string(change.entry.entry));
  }
}
void FakeNotices::on_group(std::string id, Result<void> outcome) {
  note("group " + id + (outcome.ok() ? "" : ": " + outcome.error().to_string()));
}
void FakeNotices::on_disconnect() { note("disconnect"); }

}  // namespace sabir::rpc
