// sabird as the heir of one dead process (D5): what happens to its calls, to the values that others wait for, and at
// last to its memory. Cells are read as claims (T3); what is certain comes from Lends and Ownership.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/node/directory.h"
#include "runtime/node/lends.h"
#include "runtime/node/objects.h"
#include "runtime/node/processes.h"
#include "runtime/shm/cell.h"
#include "runtime/shm/untrusted.h"

namespace sabir::node {

// What an heir works with; all of it outlives the heirs.
struct Estate {
  shm::SessionSegments& segments;
  Processes& processes;
  Lends& lends;
  Directory& directory;
  Objects& objects;
};

class Heir {
 public:
  // `process` is out of the table, and its ring was read to its end. Cancels what it had queued, unless the result
  // escaped and the job goes on: that runs, and its value is kept. Must come before the death is in the log: who has
  // acknowledged it claims nothing more of this process.
  Heir(Estate& estate, std::unique_ptr<Process> process, bool job_over);

  // Where the death lies in the log. Set once it is there.
  void set_log_position(uint64_t position) { log_position_ = position; }
  uint64_t log_position() const { return log_position_; }
  Process& process() { return *process_; }

  // The job of the dead is over: what it had queued does not run any more, escaped or not.
  void end_job() { job_over_ = true; }

  // Looks at what still runs and delivers what has ended. `acknowledged`: by all (D4). True: it is settled, nothing of
  // the dead is queued or claimed by the living any more and nobody is about to push one of its cells; its holds have
  // been let go.
  bool settle(bool acknowledged);
  // D4 and settled: frees its cells and gives the blocks of their results back.
  void free_memory();
  bool memory_is_free() const { return memory_is_free_; }

 private:
  void cancel_queued(bool job_over);
  // False: it still runs.
  bool settle_escape(const store::Ownership::Escape& escape);
  bool claimed_by_living(shm::CellWord word) const;
  void collect_kept(bool acknowledged);
  void cancel_kept(bool acknowledged);
  std::set<uint64_t> refs_in_rings() const;
  bool runs_on(shm::CellIndex cell) const;
  void deliver_result(const store::Ownership::Escape& escape, const shm::CellCopy& cell);
  void deliver_bytes(const store::Ownership::Escape& escape, std::span<const uint8_t> value);
  void deliver_error(shm::EntryRef entry, ErrorKind kind, const std::string& message);
  void deliver_lost(shm::EntryRef entry);
  void place(shm::EntryRef entry, std::span<const uint8_t> bytes);
  void give_block_back(uint32_t unit);

  Estate& estate_;
  shm::UntrustedCalls calls_;
  std::unique_ptr<Process> process_;
  bool job_over_;
  bool holds_released_ = false;
  bool memory_is_free_ = false;
  uint64_t log_position_ = 0;
  bool strays_cancelled_ = false;
  std::vector<shm::CellIndex> claimed_;  // by a living process, when last seen
  // Left in the queues because they escaped. Who claims one may have acknowledged long ago, so each must come back
  // through the reply stack (or its claimer die) before it may be used again: until then somebody may yet write its
  // link.
  std::set<shm::CellIndex> kept_;
};

}  // namespace sabir::node
