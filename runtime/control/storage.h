// Where the control store keeps what must outlive a restart: ordered tables of byte strings, changed by batches,
// written by one writer at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/control/batch.h"
#include "runtime/control/tables.h"

namespace sabir::control {

// One opening of a storage. Each takes the next epoch in the storage itself; from then on whoever opened it earlier is
// fenced: it may read, and writes nothing. One thread at a time.
//
// What an error says to the caller:
//   kExhausted     no room, or somebody else keeps the storage locked: nothing was written; later it may work
//   kDisconnected  fenced: nothing was written, nothing ever will be
//   kSystem        the disk failed or what it holds is damaged: whether the batch is there is unknown. The tables must
//   be
//                  read again by a new opening
class Storage {
 public:
  Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  virtual ~Storage() = default;

  // Rises with each opening, from 1.
  virtual uint64_t epoch() const = 0;

  // All of them in this order, as one: after a crash at any instant all writes are there, or none. Durable when it
  // returns, as far as the storage promises.
  virtual Result<void> commit_all(std::span<const Batch* const> batches) = 0;
  Result<void> commit(const Batch& batch) {
    const Batch* one = &batch;
    return commit_all({&one, 1});
  }

  virtual Result<std::string> get(std::string_view table, std::string_view key) const = 0;  // kNotFound
  // In order of keys.
  virtual Result<void> scan(std::string_view table,
                            const std::function<void(std::string_view key, std::string_view value)>& visit) const = 0;

  // Housekeeping that may take long: called between commits, when nobody waits.
  virtual void maintain() {}
};

// Its tables end with the last opening: for one machine, and for tests.
class MemoryStorage final : public Storage {
 public:
  struct Medium {
    uint64_t epoch = 0;
    Tables tables;
  };

  MemoryStorage() : MemoryStorage(std::make_shared<Medium>()) {}
  explicit MemoryStorage(std::shared_ptr<Medium> medium) : medium_(std::move(medium)), epoch_(++medium_->epoch) {}

  const std::shared_ptr<Medium>& medium() const { return medium_; }

  uint64_t epoch() const override { return epoch_; }
  Result<void> commit_all(std::span<const Batch* const> batches) override;
  Result<std::string> get(std::string_view table, std::string_view key) const override;
  Result<void> scan(std::string_view table,
                    const std::function<void(std::string_view, std::string_view)>& visit) const override;

 private:
  const std::shared_ptr<Medium> medium_;
  const uint64_t epoch_;
};

// kDisconnected: the storage has been opened since by a writer of epoch `newer`.
Error fenced_error(uint64_t epoch, uint64_t newer);

}  // namespace sabir::control
