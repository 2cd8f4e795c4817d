// The private table of object entries (T3): what sabird knows of each, and which process may use which batch. Part of
// Ownership, which alone uses it; rules are there.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/shm/limits.h"
#include "runtime/shm/word.h"
#include "runtime/store/identity.h"

namespace sabir::store {

struct Held {
  Holder holder;
  uint32_t count = 0;
};

// What few entries have.
struct EntryExtra {
  std::optional<shm::CellRef> cell;  // where an escaped call is now
  uint16_t return_index = 0;
  std::optional<shm::EntryRef> alias_of;  // it stands for this store object, and holds it
  std::vector<shm::EntryRef> contains;    // entries that this one holds (kHoldNested, alias)
  uint32_t registered = 0;                // those among them that its creator asked for
  std::vector<shm::EntryIndex> aliases;   // entries that wait for this one to become resident
  std::vector<ProcessId> subscribers;
  bool is_elsewhere = false;        // the value is on another node (O10); stays set when it is lost there
  bool is_fetched = false;          // ... and its creator was asked for it
  bool is_counted = false;          // ... among those that its creator still has to deliver
  std::optional<ProcessId> keeper;  // who can make it again (O11)
  uint16_t keeper_index = 0;        // ... as which result of its call
};

struct EntryRecord {
  shm::Generation generation = 1;  // a reference of zeros names nothing
  shm::EntryState state = shm::EntryState::kFree;
  bool is_actor = false;
  bool owns_bytes = false;  // a loan's object is freed with it (an alias has none of its own)
  bool touched = false;     // in Ownership's list for the end of the round
  uint64_t offset = 0;      // an actor's index, if is_actor
  uint64_t size_bytes = 0;
  ProcessId creator;
  std::vector<Held> holders;  // seldom more than two
  std::unique_ptr<EntryExtra> extra;

  EntryExtra& more() {
    if (!extra) {
      extra = std::make_unique<EntryExtra>();
    }
    return *extra;
  }
  void add(Holder holder, uint32_t count = 1);
  // How many were taken away, at most `count`.
  uint32_t remove(Holder holder, uint32_t count);
  uint32_t count_of(Holder holder) const;
};

class EntryTable {
 public:
  struct Batch {
    ProcessId process;      // who may use its free entries
    bool lent = false;      // false: nobody may
    bool dead = false;      // its process is dead: lendable once it is empty and D4 holds
    bool reusable = false;  // D4 holds
    uint32_t in_use = 0;    // entries that are not FREE
    std::array<EntryRecord, shm::kEntriesPerBatch> records;
  };

  // A batch that nobody has: a new one, or an empty one of the dead. Nothing: all are lent.
  std::optional<uint32_t> lend(ProcessId process);
  // Null: never lent.
  EntryRecord* find(shm::EntryIndex entry);
  const EntryRecord* find(shm::EntryIndex entry) const;
  Batch* batch_of(shm::EntryIndex entry) { return batch(entry / shm::kEntriesPerBatch); }
  const Batch* batch_of(shm::EntryIndex entry) const { return batch(entry / shm::kEntriesPerBatch); }
  Batch* batch(uint32_t index) { return index < batches_.size() ? batches_[index].get() : nullptr; }
  const Batch* batch(uint32_t index) const { return index < batches_.size() ? batches_[index].get() : nullptr; }
  uint32_t batch_count() const { return static_cast<uint32_t>(batches_.size()); }
  static shm::EntryIndex first_entry(uint32_t batch) { return batch * shm::kEntriesPerBatch; }

 private:
  std::vector<std::unique_ptr<Batch>> batches_;
};

}  // namespace sabir::store
