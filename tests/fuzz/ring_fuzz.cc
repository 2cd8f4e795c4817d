// Feeds records of processes' rings, rounds and deaths to the ownership table: whatever they write, its books balance
// (T3, H1 to H3).
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "runtime/base/check.h"
#include "runtime/base/clock.h"
#include "runtime/store/loans.h"
#include "runtime/store/ownership.h"

using namespace sabir;         // NOLINT: a fuzzer's own file
using namespace sabir::store;  // NOLINT

namespace {

constexpr uint64_t kStoreBytes = 8 << 20;
constexpr uint16_t kProcesses = 3;
constexpr size_t kMaxSteps = 256;

class Node {
 public:
  Node()
      : allocator_(make_first_fit_allocator(segment_bytes_for(kStoreBytes), kStoreBytes)),
        loans_(*allocator_, clock_, ledger_options()),
        ownership_(loans_, ownership_options()) {
    for (uint16_t slot = 1; slot <= kProcesses; ++slot) {
      join(slot);
    }
  }

  // One byte says whose record it is or what happens, the rest is the record. Half of them name what there is.
  void step(uint8_t what, shm::RingRecord record) {
    uint16_t slot = 1 + what % kProcesses;
    if ((what & 16) != 0) {
      record.op %= 16;
      record.entry %= 4 * shm::kEntriesPerBatch;
      record.generation %= 4;
    }
    switch (what >> 5) {
      case 0:
        round();
        break;
      case 1:
        die(slot);
        break;
      case 2:
        loans_.request(++ticket_, id(slot), record.b % kStoreBytes, 0, out_);
        break;
      default:
        if (!in_round_) {
          ownership_.begin_round();
          in_round_ = true;
        }
        ownership_.apply(id(slot), record, out_);
        break;
    }
    out_.clear();
  }

  // All die: nothing is left.
  void end() {
    for (uint16_t slot = 1; slot <= kProcesses; ++slot) {
      die(slot, false);
    }
    for (int i = 0; i < 8 && (in_round_ || ownership_.needs_round()); ++i) {
      round();
    }
    check();
    SABIR_CHECK(!ownership_.needs_round());
    SABIR_CHECK(ownership_.objects() == 0 && ownership_.object_bytes() == 0, "objects=", ownership_.objects());
  }

 private:
  static LoanLedger::Options ledger_options() {
    LoanLedger::Options options;
    options.capacity_bytes = kStoreBytes;
    options.describe = [](ProcessId) { return std::string("a process"); };
    return options;
  }
  // Chunk number = slot, so that records name cells and blocks of others, too.
  static Ownership::Options ownership_options() {
    Ownership::Options options;
    options.owns_cell = [](ProcessId process, shm::CellIndex cell) {
      return cell / shm::kCellsPerChunk == process.slot;
    };
    options.owns_block_chunk = [](ProcessId process, uint32_t chunk) { return chunk == process.slot; };
    return options;
  }

  ProcessId id(uint16_t slot) const { return {slot, incarnations_[slot]}; }

  void join(uint16_t slot) {
    ++incarnations_[slot];
    if (ownership_.lend_batch(id(slot), out_).ok()) {
      loans_.request(++ticket_, id(slot), 1 << 20, 0, out_);
    }
  }

  void round() {
    if (!in_round_) {
      ownership_.begin_round();
    }
    in_round_ = false;
    ownership_.end_round(out_);
    if (++rounds_ % 4 == 0) {
      check();
    }
  }

  void check() {
    std::string wrong = ownership_.check_invariants();
    SABIR_CHECK(wrong.empty(), wrong);
  }

  // D2, D4 and D5, as far as they concern objects.
  void die(uint16_t slot, bool again = true) {
    round();
    ownership_.process_dead(id(slot), out_);
    for (const Ownership::Escape& escape : ownership_.escapes_of(id(slot))) {
      if (escape.cell) {
        ownership_.keep_cell_refs(*escape.cell, escape.entry);
      }
      ownership_.deliver_null(escape.entry, out_);
    }
    ownership_.lose_escapes(id(slot), out_);
    ownership_.drop_cells(slot * shm::kCellsPerChunk, shm::kCellsPerChunk);
    ownership_.release_holds(id(slot));
    for (int i = 0; i < 3; ++i) {
      round();
    }
    SABIR_CHECK(ownership_.holds_released(id(slot)));
    SABIR_CHECK(ownership_.held_by(Holder::process(id(slot))) == 0);
    ownership_.memory_reusable(id(slot));
    if (again) {
      join(slot);
    }
  }

  ManualClock clock_;
  std::unique_ptr<RangeAllocator> allocator_;
  LoanLedger loans_;
  Ownership ownership_;
  Instructions out_;
  std::array<uint32_t, kProcesses + 1> incarnations_ = {};
  uint64_t ticket_ = 0;
  uint64_t rounds_ = 0;
  bool in_round_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  Node node;
  constexpr size_t kStepBytes = 1 + sizeof(shm::RingRecord);
  for (size_t i = 0; i < kMaxSteps && size_bytes >= kStepBytes; ++i) {
    shm::RingRecord record;
    std::memcpy(&record, data + 1, sizeof(record));
    node.step(data[0], record);
    data += kStepBytes;
    size_bytes -= kStepBytes;
  }
  node.end();
  return 0;
}
