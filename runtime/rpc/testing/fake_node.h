// FakeNode: a SessionServer over a FakeHandler, on a thread of its own, in a session directory of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "runtime/loop/event_loop.h"
#include "runtime/rpc/session_client.h"
#include "runtime/rpc/session_server.h"
#include "runtime/rpc/testing/fake_handler.h"

namespace sabir::rpc {

class FakeNode {
 public:
  explicit FakeNode(SessionServerOptions options = {});
  ~FakeNode();
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  const std::string& path() const { return path_; }
  FakeHandler& handler() { return handler_; }

  // Runs it on the loop's thread and waits.
  void on_loop(const std::function<void(SessionServer&)>& task);
  uint32_t connections();
  // A plain connected socket, before any hello.
  UniqueFd dial() const;
  // With a started control thread.
  std::unique_ptr<SessionClient> client(NoticeHandler* handler, const HelloInfo& hello = driver_hello());

  static HelloInfo driver_hello();
  static HelloInfo hello_of(HelloKind kind);

 private:
  std::string path_;
  FakeHandler handler_;
  loop::EventLoop loop_;
  std::unique_ptr<SessionServer> server_;
  std::thread thread_;
};

// Whether `condition` holds within ten seconds: for what other threads and processes do.
bool eventually(const std::function<bool()>& condition);

// Remembers what it is told.
class FakeNotices final : public NoticeHandler {
 public:
  void on_log(std::vector<LogLines> lines) override;
  void on_warn(std::string text) override;
  void on_collect() override;
  void on_exit(std::string reason) override;
  void on_group(std::string id, Result<void> outcome) override;
  void on_objects(std::vector<ObjectChange> changes) override;
  void on_disconnect() override;

  std::vector<std::string> events() const;
  bool has(const std::string& event) const;
  // Runs inside on_log, to make the process slow.
  std::function<void()> in_log;

 private:
  void note(std::string event);
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

}  // namespace sabir::rpc
