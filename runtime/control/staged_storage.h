// What changes see while those before them are still on their way to the disk: tables in memory that are ahead of the
// storage by the batches under way, and can take each of them back.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/control/storage.h"
#include "runtime/control/tables.h"

namespace sabir::control {

// One thread.
class StagedStorage final : public Storage {
 public:
  struct Staged {
    Batch batch;
    Batch undo;
  };

  // `tables`: what the storage of this epoch holds.
  StagedStorage(uint64_t epoch, Tables tables) : epoch_(epoch), tables_(std::move(tables)) {}

  // All commits from begin() to take() are one batch. Between two such stretches nothing may be committed.
  void begin();
  Staged take();
  // Instead of take(): nothing happened. True: something had, and is taken back; whoever keeps copies must read again.
  bool abort();
  // Of the latest batch that was not taken back yet.
  void undo(const Batch& undo) { tables_.apply(undo); }

  const Tables& tables() const { return tables_; }

  uint64_t epoch() const override { return epoch_; }
  // Visible at once, on the disk when its batch is.
  Result<void> commit_all(std::span<const Batch* const> batches) override;
  Result<std::string> get(std::string_view table, std::string_view key) const override;
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override;

 private:
  const uint64_t epoch_;
  Tables tables_;
  std::optional<Staged> open_;
};

}  // namespace sabir::control
