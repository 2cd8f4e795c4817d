#include "runtime/store/loans.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/shm/limits.h"

namespace sabir::store {
namespace {

int64_t deadline(int64_t now_ns, int64_t wait_ns) {
  constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();
  return wait_ns < 0 || wait_ns > kForEver - now_ns ? kForEver : now_ns + wait_ns;
}

}  // namespace

LoanLedger::LoanLedger(RangeAllocator& allocator, const Clock& clock, Options options)
    : allocator_(allocator), clock_(clock), options_(std::move(options)) {
  SABIR_CHECK(options_.capacity_bytes <= allocator_.budget_bytes(), "capacity=", options_.capacity_bytes);
}

void LoanLedger::request(uint64_t ticket, ProcessId process, uint64_t size_bytes, int64_t wait_ns, Instructions& out) {
  if (size_bytes == 0) {
    out.emplace_back(RefuseLoan{ticket, invalid_error("a loan of no bytes")});
    return;
  }
  if (size_bytes > options_.capacity_bytes) {  // also before rounding up: nothing wraps
    out.emplace_back(RefuseLoan{ticket, full_error(size_bytes)});
    return;
  }
  size_bytes = (size_bytes + shm::kPageBytes - 1) & ~(shm::kPageBytes - 1);
  if (grant_idle(ticket, process, size_bytes, out) ||
      (waiting_.empty() && grant_new(ticket, process, size_bytes, out))) {
    return;
  }
  auto waiting =
      std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.process == process; });
  if (waiting >= options_.max_waiting_per_process) {
    out.emplace_back(RefuseLoan{
        ticket, exhausted_error(std::to_string(waiting) + " requests for room in the store are waiting already")});
    return;
  }
  wait_ns = wait_ns < 0 ? wait_ns : std::max(wait_ns, options_.min_wait_ns);
  waiting_.push_back({ticket, process, size_bytes, deadline(clock_.now_ns(), wait_ns)});
  press(out);
}

void LoanLedger::cancel(uint64_t ticket, Instructions& out) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.ticket == ticket; });
  serve_waiting(out);
}

Result<void> LoanLedger::give_back(ProcessId process, uint64_t offset, Instructions& out) {
  auto loan = loans_.find(offset);
  if (loan == loans_.end() || loan->second.process != process) {
    return invalid_error("no loan of this process begins at " + std::to_string(offset));
  }
  loan->second.alias_gone = true;
  if (loan->second.state == State::kIdle) {
    release(loan);
    serve_waiting(out);
  }
  return {};
}

void LoanLedger::process_dead(ProcessId process, Instructions& out) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.process == process; });
  for (auto loan = loans_.begin(); loan != loans_.end();) {
    auto current = loan++;
    if (current->second.process == process) {
      current->second.process_dead = true;
      if (current->second.state == State::kOpen) {
        current->second.state = State::kClosed;
      }
      if (current->second.objects.empty()) {
        release(current);
      }
    }
  }
  serve_waiting(out);
}

void LoanLedger::tick(Instructions& out) {
  int64_t now_ns = clock_.now_ns();
  std::vector<Waiting> late;
  for (const Waiting& waiting : waiting_) {
    if (waiting.deadline_ns <= now_ns) {
      late.push_back(waiting);
    }
  }
  std::erase_if(waiting_, [&](const Waiting& w) { return w.deadline_ns <= now_ns; });
  for (const Waiting& waiting : late) {
    out.emplace_back(RefuseLoan{waiting.ticket, full_error(waiting.size_bytes)});
  }
  serve_waiting(out);
}

std::optional<int64_t> LoanLedger::next_deadline_ns() const {
  std::optional<int64_t> next;
  for (const Waiting& waiting : waiting_) {
    next = std::min(next.value_or(waiting.deadline_ns), waiting.deadline_ns);
  }
  return next;
}

Result<void> LoanLedger::announce(ProcessId process, uint64_t offset, uint64_t size_bytes, bool closes) {
  auto loan = loan_around(offset);
  if (loan == loans_.end() || loan->second.process != process || loan->second.state != State::kOpen) {
    return invalid_error("no open loan of this process at " + std::to_string(offset));
  }
  uint64_t room_bytes = loan->second.size_bytes - (offset - loan->first);
  if (size_bytes == 0 || size_bytes > room_bytes || offset % kObjectAlignment != 0) {
    return invalid_error(std::to_string(size_bytes) + " bytes at " + std::to_string(offset) +
                         " are not inside their loan");
  }
  std::vector<Object>& objects = loan->second.objects;
  auto next = std::lower_bound(objects.begin(), objects.end(), offset,
                               [](const Object& object, uint64_t start) { return object.offset < start; });
  bool overlaps = next != objects.end() && next->offset < offset + size_bytes;
  if (next != objects.begin()) {
    const Object& before = *std::prev(next);
    overlaps = overlaps || before.offset + before.size_bytes > offset;
  }
  if (overlaps) {
    return invalid_error("an object lives at " + std::to_string(offset) + " already");
  }
  objects.insert(next, {offset, size_bytes});
  objects_ += 1;
  object_bytes_ += size_bytes;
  if (closes) {
    closed(loan);
  }
  return {};
}

Result<void> LoanLedger::close(ProcessId process, uint64_t offset, Instructions& out) {
  auto loan = loan_around(offset);
  if (loan == loans_.end() || loan->second.process != process || loan->second.state != State::kOpen) {
    return invalid_error("no open loan of this process at " + std::to_string(offset));
  }
  closed(loan);
  serve_waiting(out);
  return {};
}

void LoanLedger::object_freed(uint64_t offset, Instructions& out) {
  objects_ -= 1;
  if (auto value = node_values_.find(offset); value != node_values_.end()) {
    object_bytes_ -= value->second;
    node_bytes_ -= value->second;
    node_values_.erase(value);
    allocator_.free(offset);
  } else {
    auto loan = loan_around(offset);
    SABIR_CHECK(loan != loans_.end(), "offset=", offset);
    std::vector<Object>& objects = loan->second.objects;
    auto object = std::find_if(objects.begin(), objects.end(), [&](const Object& o) { return o.offset == offset; });
    SABIR_CHECK(object != objects.end(), "offset=", offset);
    object_bytes_ -= object->size_bytes;
    objects.erase(object);
    if (objects.empty() && loan->second.state == State::kClosed) {
      became_empty(loan);
    }
  }
  serve_waiting(out);
}

Result<uint64_t> LoanLedger::place(uint64_t size_bytes) {
  SABIR_ASSIGN_OR_RETURN(uint64_t offset, allocator_.allocate(size_bytes, kObjectAlignment));
  node_values_.emplace(offset, size_bytes);
  node_bytes_ += size_bytes;
  object_bytes_ += size_bytes;
  objects_ += 1;
  return offset;
}

LoanLedger::Loans::iterator LoanLedger::loan_around(uint64_t offset) {
  auto loan = loans_.upper_bound(offset);
  if (loan == loans_.begin()) {
    return loans_.end();
  }
  --loan;
  return offset - loan->first < loan->second.size_bytes ? loan : loans_.end();
}

bool LoanLedger::grant_idle(uint64_t ticket, ProcessId process, uint64_t size_bytes, Instructions& out) {
  auto entry = idle_.find(process);
  if (entry == idle_.end()) {
    return false;
  }
  std::vector<uint64_t>& offsets = entry->second;
  for (auto candidate = offsets.rbegin(); candidate != offsets.rend(); ++candidate) {
    auto loan = loans_.find(*candidate);
    uint64_t loan_bytes = loan->second.size_bytes;
    if (loan_bytes >= size_bytes && loan_bytes / 2 <= size_bytes) {
      offsets.erase(std::next(candidate).base());
      if (offsets.empty()) {
        idle_.erase(entry);
      }
      loan->second.state = State::kOpen;
      idle_bytes_ -= loan_bytes;
      out.emplace_back(GrantLoan{ticket, loan->first, loan_bytes, true});
      return true;
    }
  }
  return false;
}

bool LoanLedger::grant_new(uint64_t ticket, ProcessId process, uint64_t size_bytes, Instructions& out) {
  if (used_bytes_ > options_.capacity_bytes || size_bytes > options_.capacity_bytes - used_bytes_) {
    return false;
  }
  Result<uint64_t> offset = allocator_.allocate(size_bytes, shm::kPageBytes);
  if (!offset.ok()) {
    return false;
  }
  Loan loan;
  loan.process = process;
  loan.size_bytes = size_bytes;
  loans_.emplace(*offset, std::move(loan));
  used_bytes_ += size_bytes;
  out.emplace_back(GrantLoan{ticket, *offset, size_bytes, false});
  return true;
}

void LoanLedger::closed(Loans::iterator loan) {
  loan->second.state = State::kClosed;
  if (loan->second.objects.empty()) {
    became_empty(loan);
  }
}

void LoanLedger::became_empty(Loans::iterator loan) {
  if (loan->second.process_dead || loan->second.alias_gone) {
    release(loan);
    return;
  }
  ProcessId process = loan->second.process;
  loan->second.state = State::kIdle;
  idle_bytes_ += loan->second.size_bytes;
  idle_[process].push_back(loan->first);
  newly_idle_.push_back(process);
}

void LoanLedger::release(Loans::iterator loan) {
  if (loan->second.state == State::kIdle) {
    auto entry = idle_.find(loan->second.process);
    std::erase(entry->second, loan->first);
    if (entry->second.empty()) {
      idle_.erase(entry);
    }
    idle_bytes_ -= loan->second.size_bytes;
  }
  used_bytes_ -= loan->second.size_bytes;
  allocator_.free(loan->first);
  loans_.erase(loan);
}

void LoanLedger::serve_waiting(Instructions& out) {
  // An idle loan of the process itself takes nobody's room: no need to keep its place in the row.
  std::erase_if(waiting_, [&](const Waiting& w) { return grant_idle(w.ticket, w.process, w.size_bytes, out); });
  while (!waiting_.empty()) {
    const Waiting& first = waiting_.front();
    if (!grant_new(first.ticket, first.process, first.size_bytes, out)) {
      press(out);
      break;
    }
    waiting_.pop_front();
  }
  // What is newly idle and was not wanted by its own process may help whoever waits.
  for (ProcessId process : std::exchange(newly_idle_, {})) {
    if (!waiting_.empty() && idle_.contains(process)) {
      out.emplace_back(CollectFrom{process});
    }
  }
}

// Once for each request that comes to the front. Idle loans first; if they are not enough, everybody's garbage (O9).
void LoanLedger::press(Instructions& out) {
  const Waiting& first = waiting_.front();
  if (pressed_for_ == first.ticket) {
    return;
  }
  pressed_for_ = first.ticket;
  uint64_t free_bytes = options_.capacity_bytes - std::min(used_bytes_, options_.capacity_bytes);
  if (free_bytes + idle_bytes_ < first.size_bytes) {
    out.emplace_back(CollectFromAll{});
    return;
  }
  for (const auto& [process, offsets] : idle_) {
    out.emplace_back(CollectFrom{process});
  }
}

}  // namespace sabir::store
