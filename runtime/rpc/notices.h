// Notices: how sabird speaks to one process, over the capability that the process subscribed with.
#pragma once

#include <kj/async.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/rpc/session_handler.h"
#include "schema/session.capnp.h"

namespace sabir::rpc {

// On the loop's thread. The handler may keep it longer than the connection lives: then it does nothing. What is said
// before the process has subscribed is kept, except log lines, and a slow process costs a bounded amount.
class Notices final : public NoticeSink, public std::enable_shared_from_this<Notices> {
 public:
  static std::shared_ptr<Notices> make(std::function<void()> on_close);
  ~Notices() noexcept override;

  void subscribe(schema::Notices::Client client);
  // The connection is gone, and soon KJ's loop may be.
  void detach();

  bool log(std::vector<LogLines> lines) override;
  void warn(std::string text) override;
  void collect() override;
  void exit(std::string reason) override;
  void group(std::string id, Result<void> outcome) override;
  void objects(std::vector<ObjectChange> changes) override;
  void close() override;

 private:
  struct Tasks;

  explicit Notices(std::function<void()> on_close);
  void flush();
  // Runs `done` when the call has ended in whatever way, unless the connection went first.
  void track(kj::Promise<void> call, std::function<void(Notices&)> done);

  std::function<void()> on_close_;
  std::unique_ptr<Tasks> tasks_;  // null: detached
  kj::Maybe<schema::Notices::Client> client_;
  bool log_in_flight_ = false;
  bool collect_in_flight_ = false;
  uint32_t warnings_in_flight_ = 0;
  // Said and not yet sent.
  std::vector<std::string> warnings_;
  bool collect_asked_ = false;
  std::optional<std::string> exit_reason_;
  // At most as many as the process has watched.
  std::vector<std::pair<std::string, Result<void>>> groups_;
  // One of each kind for an entry that it has, at most.
  std::vector<ObjectChange> objects_;
};

}  // namespace sabir::rpc
