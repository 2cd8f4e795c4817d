#include "runtime/store/object_writer.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"

namespace sabir::store {
namespace {

// A closed loan keeps its alias for the day when its objects are gone. A process may have only so many mappings.
constexpr size_t kMaxClosedAliases = 512;

constexpr uint64_t kObjectAlignmentBytes = 64;

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) & ~(unit - 1); }

}  // namespace

// --- Placement -------------------------------------------------------------------------------------------------------

Placement::Placement(Placement&& other) noexcept
    : writer_(std::exchange(other.writer_, nullptr)),
      loan_(other.loan_),
      own_alias_(std::move(other.own_alias_)),
      data_(other.data_),
      offset_(other.offset_),
      size_bytes_(other.size_bytes_),
      taken_begin_(other.taken_begin_),
      taken_end_(other.taken_end_) {}

Placement& Placement::operator=(Placement&& other) noexcept {
  if (this != &other) {
    this->~Placement();
    new (this) Placement(std::move(other));
  }
  return *this;
}

Placement::~Placement() {
  own_alias_.reset();
  if (writer_ != nullptr) {
    writer_->abandon(*this);
  }
}

// --- ObjectWriter ----------------------------------------------------------------------------------------------------

ObjectWriter::ObjectWriter(int objects_fd, LoanSource& loans, RingSink& ring, Options options)
    : objects_fd_(objects_fd), loan_source_(loans), ring_(ring), options_(options) {}

ObjectWriter::~ObjectWriter() = default;

Result<Placement> ObjectWriter::create(uint64_t size_bytes, const CreateOptions& options) {
  if (size_bytes == 0) {
    return invalid_error("an object of no bytes does not belong into the store");
  }
  return size_bytes >= shm::kOwnLoanBytes ? create_own(size_bytes, options) : create_shared(size_bytes, options);
}

Result<Placement> ObjectWriter::create_own(uint64_t size_bytes, const CreateOptions& options) {
  SABIR_ASSIGN_OR_RETURN(LoanSource::Loan granted, loan_source_.loan(size_bytes, options.wait_ns));
  std::unique_lock lock(lock_);
  WriterLoan* loan = adopt(granted, false);
  Result<Placement> placed = place(*loan, size_bytes, options);
  Duty duty = placed.ok() ? Duty{} : after(*loan);
  lock.unlock();
  carry_out(duty);
  if (placed.ok() && !placed->own_alias_ && options_.populate_from_bytes != 0 &&
      size_bytes >= options_.populate_from_bytes) {
    loan->alias->populate(loan->offset, size_bytes);  // nobody else uses this loan
  }
  return placed;
}

Result<Placement> ObjectWriter::create_shared(uint64_t size_bytes, const CreateOptions& options) {
  bool own_pages = wants_own_pages(options);
  std::unique_lock lock(lock_);
  Duty duty;
  if (current_ != nullptr) {
    if (room_bytes(*current_, own_pages) >= size_bytes) {
      return place(*current_, size_bytes, options);
    }
    WriterLoan& full = *std::exchange(current_, nullptr);
    full.retired = true;
    duty = after(full);
  }
  lock.unlock();
  carry_out(duty);

  Result<LoanSource::Loan> granted = loan_source_.loan(shm::kSharedLoanBytes, 0);
  bool shared = granted.ok();
  if (!shared && granted.error().kind() == ErrorKind::kStoreFull) {
    // In a store this full, room for this one object has to do.
    granted = loan_source_.loan(round_up(size_bytes, shm::kPageBytes), options.wait_ns);
  }
  if (!granted.ok()) {
    return std::move(granted).error();
  }

  lock.lock();
  WriterLoan* loan = adopt(*granted, shared);
  Result<Placement> placed = place(*loan, size_bytes, options);
  duty = {};
  if (!placed.ok() || !shared) {
    duty = after(*loan);
  } else {
    // Another thread may have brought a loan meanwhile: go on with the emptier one.
    WriterLoan* other = std::exchange(current_, loan);
    if (other != nullptr) {
      if (room_bytes(*other, false) > room_bytes(*loan, false)) {
        std::swap(current_, other);
      }
      other->retired = true;
      duty = after(*other);
    }
  }
  lock.unlock();
  carry_out(duty);
  return placed;
}

WriterLoan* ObjectWriter::adopt(const LoanSource::Loan& granted, bool shared) {
  auto known =
      std::find_if(loans_.begin(), loans_.end(), [&](const auto& loan) { return loan->offset == granted.offset; });
  if (known == loans_.end()) {
    loans_.push_back(std::make_unique<WriterLoan>());
    known = std::prev(loans_.end());
  }
  WriterLoan& loan = **known;
  std::optional<WritableAlias> alias = std::move(loan.alias);
  if (alias && (!granted.reused || alias->size_bytes() != granted.size_bytes)) {
    alias.reset();
  }
  std::erase(closed_aliases_, granted.offset);
  loan = WriterLoan{};
  loan.offset = granted.offset;
  loan.size_bytes = granted.size_bytes;
  loan.alias = std::move(alias);
  loan.shared = shared;
  loan.retired = !shared;  // room for one
  return &loan;
}

uint64_t ObjectWriter::room_bytes(const WriterLoan& loan, bool own_pages) {
  uint64_t begin = round_up(loan.used_bytes, own_pages ? shm::kPageBytes : kObjectAlignmentBytes);
  return begin < loan.size_bytes ? loan.size_bytes - begin : 0;
}

Result<Placement> ObjectWriter::place(WriterLoan& loan, uint64_t size_bytes, const CreateOptions& options) {
  bool own_pages = wants_own_pages(options);
  if (room_bytes(loan, own_pages) < size_bytes) {
    return internal_error("a loan of " + std::to_string(loan.size_bytes) + " bytes is too small for an object of " +
                          std::to_string(size_bytes));
  }
  uint64_t begin = round_up(loan.used_bytes, own_pages ? shm::kPageBytes : kObjectAlignmentBytes);
  uint64_t end = own_pages ? round_up(begin + size_bytes, shm::kPageBytes) : begin + size_bytes;
  Placement placement;
  placement.offset_ = loan.offset + begin;
  placement.size_bytes_ = size_bytes;
  if (own_pages) {
    SABIR_ASSIGN_OR_RETURN(WritableAlias alias, WritableAlias::map(objects_fd_, placement.offset_, size_bytes));
    placement.own_alias_ = std::make_unique<WritableAlias>(std::move(alias));
    placement.data_ = placement.own_alias_->at(placement.offset_);
  } else {
    if (!loan.alias) {
      SABIR_ASSIGN_OR_RETURN(loan.alias, WritableAlias::map(objects_fd_, loan.offset, loan.size_bytes));
    }
    if (loan.shared && options_.populate_from_bytes != 0 && size_bytes >= options_.populate_from_bytes) {
      loan.alias->populate(placement.offset_, size_bytes);
    }
    placement.data_ = loan.alias->at(placement.offset_);
  }
  placement.taken_begin_ = loan.used_bytes;
  placement.taken_end_ = end;
  placement.loan_ = &loan;
  placement.writer_ = this;
  loan.used_bytes = end;
  loan.placements += 1;
  return placement;
}

Result<void> ObjectWriter::seal(Placement placement, shm::EntryRef entry) {
  SABIR_CHECK(placement.writer_ == this);
  placement.own_alias_.reset();  // no write of user code comes after this line
  WriterLoan& loan = *placement.loan_;
  std::unique_lock lock(lock_);
  bool closes = loan.retired && loan.placements == 1;
  lock.unlock();
  SABIR_RETURN_IF_ERROR(
      ring_.write(shm::RingMessage::announce(entry, placement.offset_, placement.size_bytes_, closes)));
  placement.writer_ = nullptr;
  lock.lock();
  loan.placements -= 1;
  Duty duty = closes ? mark_closed(loan) : after(loan);
  lock.unlock();
  carry_out(duty);
  return {};
}

void ObjectWriter::abandon(const Placement& placement) {
  std::unique_lock lock(lock_);
  WriterLoan& loan = *placement.loan_;
  loan.placements -= 1;
  if (loan.used_bytes == placement.taken_end_) {
    loan.used_bytes = placement.taken_begin_;
  }
  Duty duty = after(loan);
  lock.unlock();
  carry_out(duty);
}

void ObjectWriter::collect() {
  std::unique_lock lock(lock_);
  current_ = nullptr;
  std::vector<Duty> duties;
  for (size_t i = loans_.size(); i-- > 0;) {
    WriterLoan& loan = *loans_[i];
    loan.retired = true;
    loan.unwanted = true;
    duties.push_back(loan.closed ? mark_closed(loan) : after(loan));  // may remove the loan
  }
  lock.unlock();
  for (const Duty& duty : duties) {
    carry_out(duty);
  }
}

uint64_t ObjectWriter::loan_bytes() const {
  std::lock_guard lock(lock_);
  uint64_t bytes = 0;
  for (const auto& loan : loans_) {
    bytes += loan->size_bytes;
  }
  return bytes;
}

ObjectWriter::Duty ObjectWriter::after(WriterLoan& loan) {
  if (!loan.retired || loan.closed || loan.placements > 0) {
    return {};
  }
  uint64_t offset = loan.offset;
  Duty duty = mark_closed(loan);
  duty.close = offset;
  return duty;
}

ObjectWriter::Duty ObjectWriter::mark_closed(WriterLoan& loan) {
  uint64_t offset = loan.offset;
  loan.closed = true;
  if (loan.unwanted) {
    std::erase(closed_aliases_, offset);
    std::erase_if(loans_, [&](const auto& other) { return other.get() == &loan; });
    return {std::nullopt, offset};
  }
  if (loan.alias) {
    closed_aliases_.push_back(offset);
    if (closed_aliases_.size() > kMaxClosedAliases) {
      drop_oldest_alias();
    }
  }
  return {};
}

void ObjectWriter::drop_oldest_alias() {
  uint64_t offset = closed_aliases_.front();
  closed_aliases_.pop_front();
  for (const auto& loan : loans_) {
    if (loan->offset == offset) {
      loan->alias.reset();
    }
  }
}

void ObjectWriter::carry_out(const Duty& duty) {
  if (duty.close) {
    std::unique_lock lock(lock_);
    unwritten_closes_.push_back(*duty.close);
    lock.unlock();
    write_closes();
  }
  if (duty.give_back) {
    loan_source_.give_back(*duty.give_back);
  }
}

// What an interrupted caller could not write, the next one does.
void ObjectWriter::write_closes() {
  std::unique_lock lock(lock_);
  std::vector<uint64_t> closes = std::exchange(unwritten_closes_, {});
  lock.unlock();
  for (size_t i = 0; i < closes.size(); ++i) {
    if (!ring_.write(shm::RingMessage::close_loan(closes[i])).ok()) {
      lock.lock();
      unwritten_closes_.insert(unwritten_closes_.end(), closes.begin() + static_cast<ptrdiff_t>(i), closes.end());
      return;
    }
  }
}

}  // namespace sabir::store
