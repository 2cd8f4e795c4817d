// The store's shell: reads the processes' rings in rounds (H1), carries out what the ledger and the ownership table
// decide, and answers requests for loans.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/log.h"
#include "runtime/loop/event_loop.h"
#include "runtime/loop/timer.h"
#include "runtime/node/lends.h"
#include "runtime/node/processes.h"
#include "runtime/shm/mapping.h"
#include "runtime/shm/segment.h"
#include "runtime/store/loans.h"
#include "runtime/store/ownership.h"
#include "runtime/store/range_allocator.h"
#include "runtime/store/warm.h"

namespace sabir::node {

class Objects {
 public:
  struct Options {
    uint64_t store_bytes = 0;
    // `base`: sabird's own writable mapping of the whole segment.
    std::function<std::unique_ptr<store::RangeAllocator>(void* base, uint64_t segment_bytes, uint64_t budget_bytes)>
        make_arena;
    bool strict_releases = false;
  };
  struct Events {
    // T4: log it, close the connection, kill the process. Called in the middle of a round: must not kill at once.
    std::function<void(store::ProcessId, const std::string&)> violation;
    // No handle of the actor is left.
    std::function<void(shm::ActorIndex)> actor_unheld;
  };

  // How large the segment has to be, and how much of it may be given out.
  static uint64_t budget_bytes(uint64_t store_bytes);
  static uint64_t segment_bytes(uint64_t store_bytes);

  static Result<std::unique_ptr<Objects>> create(loop::EventLoop& loop, const Clock& clock,
                                                 shm::SessionSegments& segments, Processes& processes, Lends& lends,
                                                 const Options& options, Events events);
  ~Objects();

  // --- rounds
  // Reads all rings once, and again while something waits for one more round. `dead`: out of the table, and its ring is
  // now read to its end; nobody writes there any more.
  void rounds(Process* dead = nullptr);
  bool busy() const;

  // --- the control channel
  Result<uint32_t> lend_entries(Process& process);
  void loan(Process& process, uint64_t size_bytes, int64_t wait_ns, rpc::Reply<rpc::LoanInfo> reply);
  Result<void> return_loan(Process& process, uint64_t offset);
  // Its requests for loans are not answered any more.
  void cancel_requests(store::ProcessId process);

  // --- events whose instructions are carried out at once
  template <typename Change>
  auto change(Change&& change) {
    store::Instructions out;
    auto result = change(*ownership_, out);
    carry_out(out);
    return result;
  }
  store::Ownership& ownership() { return *ownership_; }
  const store::LoanLedger& ledger() const { return *ledger_; }
  const char* allocator_name() const { return arena_->name(); }
  // For values that sabird itself puts at an offset it was given.
  uint8_t* at(uint64_t offset) const { return static_cast<uint8_t*>(mapping_.address()) + offset; }

 private:
  Objects(loop::EventLoop& loop, const Clock& clock, shm::SessionSegments& segments, Processes& processes, Lends& lends,
          Events events);
  void one_round(Process* dead);
  void read_ring(Process& process, store::Instructions& out);
  void carry_out(const store::Instructions& instructions);
  void write_entry(const store::WriteEntry& entry);
  void copy_block(const store::CopyBlock& copy);
  void collect_from(store::ProcessId process);
  // What processes are to do about values on other nodes: gathered, one message for each.
  using Changes = std::map<store::ProcessId, std::vector<rpc::ObjectChange>>;
  void tell(Changes changes);
  void plan();
  void warm();

  struct Request {
    store::ProcessId process;
    rpc::Reply<rpc::LoanInfo> reply;
  };

  const Clock& clock_;
  shm::SessionSegments& segments_;
  Processes& processes_;
  Lends& lends_;
  Events events_;
  shm::UntrustedCalls calls_;
  shm::Mapping mapping_;
  std::unique_ptr<store::RangeAllocator> arena_;
  std::unique_ptr<store::LoanLedger> ledger_;
  std::unique_ptr<store::Ownership> ownership_;
  std::unique_ptr<store::Warmer> warmer_;
  std::map<uint64_t, Request> requests_;  // by ticket
  uint64_t next_ticket_ = 1;
  loop::Timer deadline_;
  loop::Timer warm_timer_;
};

}  // namespace sabir::node
