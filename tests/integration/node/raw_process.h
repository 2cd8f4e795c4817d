// A member of a session as simple as the protocol allows: no client library, no threads but the control channel's,
// polling instead of the fine points. For tests of sabird that want to see, and to break, every step.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/rpc/session_client.h"
#include "runtime/shm/cell_pool.h"
#include "runtime/shm/death_log.h"
#include "runtime/shm/doorbell.h"
#include "runtime/shm/lease.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/segment.h"
#include "runtime/shm/work_queue.h"

namespace sabir::testing {

inline constexpr int64_t kCallTimeoutNs = 20 * kSecondNs;

class RawProcess : public rpc::NoticeHandler {
 public:
  static Result<std::unique_ptr<RawProcess>> driver(UniqueFd socket, rpc::JobConfig job);
  static Result<std::unique_ptr<RawProcess>> driver(const std::string& session_path, rpc::JobConfig job);
  static Result<std::unique_ptr<RawProcess>> worker(const std::string& session_path, const std::string& token);
  ~RawProcess() override;

  rpc::SessionClient& session() { return *session_; }
  const rpc::WelcomeInfo& welcome() { return session_->welcome(); }
  const shm::NodeView& node() const { return node_; }
  const shm::CallsView& calls() const { return calls_; }
  shm::SlotIndex slot() { return welcome().process.slot; }
  shm::ProcessPage& page() { return calls_.page(slot()); }
  shm::RingProducer& ring() { return ring_; }

  // --- submitting; one class of one CPU (or `resources`)
  Result<uint32_t> export_function(const std::string& name);
  Result<void> declare(uint8_t language, std::vector<rpc::ResourceAmount> resources = {{"CPU", 10'000}});
  // Queues a call with a few bytes of arguments. kNoCell: no room.
  shm::CellRef submit(uint32_t function, std::string_view args = "");
  struct Outcome {
    bool done = false;
    bool is_error = false;
    bool claimer_died = false;
    std::string result;
  };
  // Waits for the call, consumes it and frees its cell. Repairs (R1) and acknowledges deaths meanwhile.
  Outcome wait(shm::CellRef ref, int64_t timeout_ns = kCallTimeoutNs);
  void ring_daemon() { bell_.ring(); }

  // --- executing
  // Claims and runs calls until the session ends. `run` gets function and arguments, and returns the result.
  void serve(const std::function<std::string(uint32_t function, std::string args)>& run);
  // For a `run` that blocks (L4): says so and waits.
  void blocked(const std::function<void()>& wait);

  // Reads the death log, repairs own calls (R1) and acknowledges (D3).
  void take_deaths();
  bool disconnected() const { return disconnected_; }
  bool exit_asked() const { return exit_asked_; }
  std::string log_text();
  std::string warnings();

  void on_log(std::vector<rpc::LogLines> lines) override;
  void on_warn(std::string text) override;
  void on_collect() override {}
  void on_exit(std::string reason) override;
  void on_group(std::string, Result<void>) override {}
  void on_objects(std::vector<rpc::ObjectChange>) override {}
  void on_disconnect() override;

 private:
  RawProcess(std::unique_ptr<rpc::SessionClient> session, shm::NodeView node, shm::CallsView calls);
  static Result<std::unique_ptr<RawProcess>> join(Result<std::unique_ptr<rpc::SessionClient>> session);
  bool run_one(const std::function<std::string(uint32_t, std::string)>& run, shm::LeaseWord lease);
  void finish(shm::CellRef ref, const std::string& result);
  void sleep_briefly();

  std::unique_ptr<rpc::SessionClient> session_;
  shm::NodeView node_;
  shm::CallsView calls_;
  shm::CellPool cells_;
  shm::RingProducer ring_;
  shm::DeathLogReader deaths_;
  shm::DaemonBell bell_;
  std::optional<shm::QueueAppender> queue_;
  std::set<uint64_t> outstanding_;  // packed CellRefs of own calls that nobody consumed
  std::set<uint64_t> died_;         // of these: freed, because the claimer died
  bool voided_ = false;             // L4: blocked since the lease was granted
  std::atomic<bool> disconnected_ = false;
  std::atomic<bool> exit_asked_ = false;
  std::mutex mutex_;
  std::string log_text_;
  std::string warnings_;
};

}  // namespace sabir::testing
