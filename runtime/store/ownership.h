// Ownership: which objects there are, who holds them, and when they go (H1-H3, O4-O6, O10, O11, D5). A state machine
// without I/O: records of the processes' rings and events go in, instructions come out. Its owner is sabird's loop
// thread.
//
// How a shell uses it. "Look" = begin_round(); for each process whose ring is still read, every record up to the tail
// seen once: apply(); end_round(). While needs_round(): look again at once. Entry batches, actors' handles, deaths and
// the heir's work are events beside that, outside a round; what they take away counts like a remove that was read in
// the next round (H1), what they add counts at once.
//
// Ring order is not time order between processes: a HOLD may be read one round before the ANNOUNCE that it rests on.
// So a free entry of a lent batch may have holders already, and references to it are not "unknown" before one full
// round has passed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/shm/process_ring.h"
#include "runtime/store/entry_table.h"
#include "runtime/store/identity.h"
#include "runtime/store/instructions.h"
#include "runtime/store/loans.h"

namespace sabir::store {

class Ownership {
 public:
  struct Options {
    // T3: private tables of the shell. Unset: everybody owns everything (tests).
    std::function<bool(ProcessId, shm::CellIndex)> owns_cell;
    std::function<bool(ProcessId, uint32_t block_chunk)> owns_block_chunk;
    // H3: a release of what is not held costs its author (debug builds); else it is ignored and counted.
    bool strict_releases = false;
    // References that one process may register inside cells and objects: bounds sabird's memory (T1).
    uint32_t max_registered_per_process = 1 << 20;
  };
  struct Counters {
    uint64_t rounds = 0;
    uint64_t announced = 0;
    uint64_t escaped = 0;
    uint64_t freed = 0;
    uint64_t ignored_releases = 0;  // H3
    uint64_t ignored_records = 0;   // about entries that are gone; late DELIVERs among them
    uint64_t violations = 0;
    uint64_t lost = 0;
  };
  // An escaped call that has not delivered (O6).
  struct Escape {
    shm::EntryRef entry;
    std::optional<shm::CellRef> cell;
    uint16_t return_index = 0;
  };
  struct Info {
    shm::EntryWord word;
    uint64_t offset = 0;  // an actor's index
    uint64_t size_bytes = 0;
    ProcessId creator;
    std::vector<Held> holders;
  };

  Ownership(LoanLedger& loans, Options options);

  // --- entries (O3) ---

  // A batch of entries that the process alone may announce and escape. The instructions set the words of all of them.
  // kExhausted: all are lent.
  Result<uint32_t> lend_batch(ProcessId process, Instructions& out);

  // --- rounds (H1) ---

  void begin_round();
  // One record of this process's ring, in its order. Copied by the caller, not trusted (T3).
  void apply(ProcessId process, const shm::RingRecord& record, Instructions& out);
  void end_round(Instructions& out);
  // Removes, deaths or questions wait for a round to come.
  bool needs_round() const;

  // --- holds that come over the control channel or from sabird itself: count at once ---

  // kNotFound: no such use of an entry.
  Result<void> hold(Holder holder, shm::EntryRef entry);
  void unhold(Holder holder, shm::EntryRef entry);
  // All of its holds: an actor that will not restart, a job that is over.
  void drop_holder(Holder holder);

  // --- actors' handles ---

  // A new entry of sabird's own, kResident with kIsActor, held once by `holder`. kExhausted.
  Result<shm::EntryRef> create_actor(shm::ActorIndex actor, Holder holder, Instructions& out);

  // --- deaths (D5), in this order ---

  // Its ring has been read to its end; what comes from it later is ignored. What it has on loan and did not announce is
  // free (this calls LoanLedger::process_dead).
  void process_dead(ProcessId process, Instructions& out);
  // No cell of it is QUEUED or CLAIMED by a live process: its own holds go.
  void release_holds(ProcessId process);
  // What drop_cells and release_holds took away has been counted: only now may its cells' chunks be lent to others.
  bool holds_released(ProcessId process) const { return !releasing_.contains(process); }
  // The heir drops the holds of all cells of a dead submitter's chunk, of every generation.
  void drop_cells(shm::CellIndex first, uint32_t count);
  // Escapes that nobody delivered and nobody will: lost. Before release_holds.
  void lose_escapes(ProcessId process, Instructions& out);
  // D4: every live process has acknowledged it. Its batches may be lent again once they are empty.
  void memory_reusable(ProcessId process);

  // --- the heir and escaped calls (O6) ---

  std::vector<Escape> escapes_of(ProcessId process) const;
  // Those that stand for results of the call in this cell; empty: it did not escape.
  std::vector<Escape> escapes_of_cell(shm::CellRef cell) const;
  // What sabird found in the cell of a dead submitter, or makes itself (an error value). It has `size_bytes` (not 0);
  // the shell writes them to the offset between place_value and finish_value. kNotFound: not an undelivered escape.
  // kStoreFull: no room at all; the entry is then lost.
  Result<uint64_t> place_value(shm::EntryRef entry, uint64_t size_bytes, Instructions& out);
  void finish_value(shm::EntryRef entry, Instructions& out);
  void deliver_object(shm::EntryRef entry, shm::EntryRef object, Instructions& out);
  void deliver_null(shm::EntryRef entry, Instructions& out);
  void deliver_lost(shm::EntryRef entry, Instructions& out);
  // What the cell's result refers to is from now on held by the escaped entry as well. Before its delivery and before
  // drop_cells; what a claimer wrote and no round has read yet is included.
  void keep_cell_refs(shm::CellRef cell, shm::EntryRef entry);

  // Values on other nodes (O10) that this process has said and not delivered.
  size_t elsewhere_of(ProcessId process) const;
  // It is to fetch all of them: they will not be there for long. Looks at every entry.
  void fetch_all_of(ProcessId process, Instructions& out);

  // --- for people and tests ---

  std::optional<Info> look_up(shm::EntryRef entry) const;
  const Counters& counters() const { return counters_; }
  uint64_t objects() const { return objects_; }
  uint64_t object_bytes() const { return object_bytes_; }
  uint64_t held_by(Holder holder) const;  // slow: looks at every entry
  // Recounts everything and compares with the sums and with the ledger. Empty: all is well.
  std::string check_invariants() const;

 private:
  enum class Known : uint8_t { kCurrent, kPast, kNever };
  struct CellHold {
    shm::CellRef cell;
    shm::EntryRef entry;
    ProcessId author;
  };
  struct Kept {
    shm::CellRef cell;
    shm::EntryRef entry;
  };
  struct Remove {
    enum class Kind : uint8_t { kHold, kHolder, kProcess, kCell, kCellRange };
    Kind kind = Kind::kHold;
    Holder holder;
    shm::EntryRef entry;  // kHold
    uint32_t count = 0;   // kCellRange: cells from holder's on
  };
  struct Question {
    ProcessId process;
    shm::EntryRef entry;
    uint64_t round = 0;  // the last one that had begun
  };

  // What the reference means to the private table; for kCurrent the record is there.
  std::pair<Known, EntryRecord*> know(shm::EntryRef ref);
  EntryRecord* current(shm::EntryRef ref);
  // The record of a free entry that this process may begin to use now; else null, and a violation was written.
  EntryRecord* usable(ProcessId process, shm::EntryRef ref, const char* what, Instructions& out);
  void begin_use(EntryRecord& record, shm::EntryIndex entry, ProcessId creator);
  void violation(ProcessId process, std::string text, Instructions& out);

  // ownership.cc
  void apply_announce(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_hold(Holder holder, shm::EntryRef ref);
  void carry_out(const Remove& remove, Instructions& out);
  void remove_everywhere(Holder holder);
  void touch(EntryRecord& record, shm::EntryIndex entry);
  void sweep(Instructions& out);
  void free_entry(shm::EntryIndex entry, Instructions& out);

  // inner_holds.cc: references inside results and inside objects
  void apply_hold_cell(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_drop_cell(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_hold_nested(ProcessId process, const shm::RingMessage& message, Instructions& out);
  bool register_reference(ProcessId author, Instructions& out);
  void unregister_references(ProcessId author, uint32_t count);
  void contain(EntryRecord& container, shm::EntryIndex container_index, shm::EntryRef inner);
  void release_contained(EntryRecord& container, shm::EntryIndex container_index);
  void keep_late_ref(const shm::RingMessage& message);
  void remove_cell_holds(shm::CellIndex cell, shm::Generation up_to);

  // elsewhere.cc: values on other nodes
  void begin_elsewhere(EntryRecord& record, uint64_t size_bytes);
  void end_elsewhere(EntryRecord& record);
  void apply_keep(ProcessId process, const shm::RingMessage& message, Instructions& out);
  // Somebody waits for the entry: whoever has to fetch its value is asked to, once.
  void want(shm::EntryRef entry, Instructions& out);
  bool is_awaited(shm::EntryIndex entry) const;
  EntryRecord* root_of(shm::EntryRef entry, shm::EntryRef& root);
  // The entry stands for one whose value is elsewhere: so is its own.
  void follow_elsewhere(EntryRecord& record, shm::EntryIndex entry, uint64_t size_bytes, Instructions& out);
  // True: it is the keeper's to deliver from now on.
  bool hand_to_keeper(EntryRecord& record, shm::EntryIndex entry, Instructions& out);

  // deliveries.cc: escaped calls
  void apply_escape(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_bind(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_deliver(ProcessId process, const shm::RingMessage& message, Instructions& out);
  void apply_subscribe(ProcessId process, const shm::RingMessage& message, Instructions& out);
  EntryRecord* undelivered(shm::EntryRef ref);
  static Escape escape_of(const EntryRecord& record, shm::EntryIndex entry);
  bool bind(ProcessId process, EntryRecord& record, shm::EntryIndex entry, shm::CellRef cell, Instructions& out);
  void unbind(EntryRecord& record, shm::EntryIndex entry);
  void deliver_from_block(ProcessId process, const shm::RingMessage& message, Instructions& out);
  // The entry has its value, or never will; so have those that stand for it. Tells who waits.
  void resolve(shm::EntryIndex entry, shm::EntryState state, bool write, Instructions& out);
  // They are told, and stay in the list if they wait for more.
  void ring_subscribers(EntryRecord& record, Instructions& out, bool stay = false);
  void answer_questions(Instructions& out);

  LoanLedger& loans_;
  Options options_;
  Counters counters_;
  EntryTable table_;
  uint64_t objects_ = 0;
  uint64_t object_bytes_ = 0;
  bool in_round_ = false;
  std::vector<Remove> fresh_;  // read in the round under way, or between rounds
  std::vector<Remove> aged_;   // read in the round before
  std::vector<Question> questions_;
  std::vector<shm::EntryIndex> touched_;
  std::vector<shm::EntryIndex> node_free_;   // free entries of sabird's own batches
  std::unordered_set<ProcessId> dead_;       // process_dead was called; until memory_reusable
  std::unordered_set<ProcessId> releasing_;  // release_holds was called and has not counted yet
  std::unordered_map<ProcessId, uint32_t> registered_;
  std::unordered_map<ProcessId, size_t> elsewhere_;
  std::unordered_map<shm::CellIndex, std::vector<CellHold>> cell_holds_;
  std::unordered_map<shm::CellIndex, std::vector<Kept>> kept_cells_;         // keep_cell_refs, until drop_cells
  std::unordered_map<uint64_t, std::vector<shm::EntryIndex>> cell_escapes_;  // by CellRef
};

}  // namespace sabir::store
