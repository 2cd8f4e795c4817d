// ObjectWriter: how a process creates objects (O1, O3). It keeps the process's loans and their aliases, places objects
// in them and announces them. Any thread.
//
//   auto placed = writer.create(bytes, {});           // room; may ask sabird for a loan and wait
//   copy_bytes(placed->data(), source, bytes);
//   entry: id, offset = placed->offset(), size, word RESIDENT (release)
//   writer.seal(std::move(*placed), entry_ref);       // ANNOUNCE goes into the ring: the caller's hold counts
//   ... and only then is the reference published.
//
// A Placement that is destroyed without seal() gives its room back.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/shm/process_ring.h"
#include "runtime/shm/word.h"
#include "runtime/store/mapping.h"

namespace sabir::store {

// client/ passes rpc::SessionClient behind this. Called without any lock of the writer held.
class LoanSource {
 public:
  struct Loan {
    uint64_t offset = 0;
    uint64_t size_bytes = 0;
    bool reused = false;
  };
  virtual ~LoanSource() = default;
  // Waits up to wait_ns for room; kStoreFull then.
  virtual Result<Loan> loan(uint64_t size_bytes, int64_t wait_ns) = 0;
  // Posted: must not block.
  virtual void give_back(uint64_t offset) = 0;
};

// The process's ring to sabird (O4). May wait for room in it.
class RingSink {
 public:
  virtual ~RingSink() = default;
  virtual Result<void> write(const shm::RingMessage& message) = 0;
};

class ObjectWriter;

// A loan as its process sees it. ObjectWriter's own.
struct WriterLoan {
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  std::optional<WritableAlias> alias;
  uint64_t used_bytes = 0;  // objects are only appended (O3)
  uint32_t placements = 0;  // not sealed yet
  bool shared = false;
  bool retired = false;   // nothing more will be placed in it
  bool closed = false;    // and sabird was told: everything in it is announced
  bool unwanted = false;  // give it back when it is closed
};

// Room for one object, writable until sealed.
class Placement {
 public:
  Placement() = default;
  Placement(Placement&& other) noexcept;
  Placement& operator=(Placement&& other) noexcept;
  ~Placement();

  bool valid() const { return writer_ != nullptr; }
  uint8_t* data() const { return data_; }
  uint64_t offset() const { return offset_; }
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  friend class ObjectWriter;
  ObjectWriter* writer_ = nullptr;
  WriterLoan* loan_ = nullptr;
  std::unique_ptr<WritableAlias> own_alias_;  // in-place creation and debug mode: gone at seal
  uint8_t* data_ = nullptr;
  uint64_t offset_ = 0;
  uint64_t size_bytes_ = 0;
  uint64_t taken_begin_ = 0;  // of the loan's used bytes: from here
  uint64_t taken_end_ = 0;    // to here
};

class ObjectWriter {
 public:
  struct Options {
    // Debug: every object gets an alias of its own that is unmapped at seal, so that a late write crashes.
    bool unmap_at_seal = false;
    // Fill page tables for whole objects from this size on; 0: never.
    uint64_t populate_from_bytes = 256 << 10;
  };
  struct CreateOptions {
    int64_t wait_ns = 0;  // for room in a full store
    // The pointer goes to user code: page-aligned, in a mapping of its own that seal() removes (O1).
    bool in_place = false;
  };

  // `view`, `loans` and `ring` must outlive the writer, and the writer every Placement.
  ObjectWriter(int objects_fd, LoanSource& loans, RingSink& ring, Options options);
  ~ObjectWriter();

  // Room for one object; its bytes are undefined. kStoreFull, or what LoanSource said.
  Result<Placement> create(uint64_t size_bytes, const CreateOptions& options);
  // Writes the ANNOUNCE. On failure (the ring cannot take it) the room is given back and nothing was announced.
  Result<void> seal(Placement placement, shm::EntryRef entry);
  // Store pressure (notice `collect`): unmaps and gives back every loan as soon as no placement uses it. May wait for
  // room in the ring.
  void collect();
  // Bytes of loans that this process has, for status and tests.
  uint64_t loan_bytes() const;

 private:
  friend class Placement;

  // What is to be done once lock_ is free again.
  struct Duty {
    std::optional<uint64_t> close;  // write kCloseLoan for the loan at this offset
    std::optional<uint64_t> give_back;
  };

  Result<Placement> create_own(uint64_t size_bytes, const CreateOptions& options);
  Result<Placement> create_shared(uint64_t size_bytes, const CreateOptions& options);
  WriterLoan* adopt(const LoanSource::Loan& granted, bool shared);
  // Takes room in the loan; it must be there.
  Result<Placement> place(WriterLoan& loan, uint64_t size_bytes, const CreateOptions& options);
  static uint64_t room_bytes(const WriterLoan& loan, bool own_pages);
  bool wants_own_pages(const CreateOptions& options) const { return options.in_place || options_.unmap_at_seal; }
  // With lock_ held: what follows from the loan's state now.
  Duty after(WriterLoan& loan);
  Duty mark_closed(WriterLoan& loan);
  void carry_out(const Duty& duty);
  void write_closes();
  void abandon(const Placement& placement);
  void drop_oldest_alias();

  int objects_fd_;
  LoanSource& loan_source_;
  RingSink& ring_;
  Options options_;
  mutable std::mutex lock_;  // never held over a call of LoanSource or RingSink
  std::vector<std::unique_ptr<WriterLoan>> loans_;
  WriterLoan* current_ = nullptr;           // the shared loan that small objects are placed in
  std::deque<uint64_t> closed_aliases_;     // offsets of closed loans whose alias stands, the oldest first
  std::vector<uint64_t> unwritten_closes_;  // kCloseLoan that the ring has not taken yet
};

// memcpy for large objects; a second thread helps with the large ones where a core is free.
void copy_bytes(uint8_t* to, const uint8_t* from, uint64_t size_bytes);

}  // namespace sabir::store
