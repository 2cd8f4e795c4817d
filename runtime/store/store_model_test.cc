// Random life in a node, against a simple model of who may read what. Processes create, nest, pass on, keep, return,
// let escape, release and die at any step; sabird reads their rings one by one in between, in any order. Nothing that a
// live process may read is ever freed, and when all is over nothing is left.
//
// SABIR_TEST_SEED=n runs that one; a failure prints it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "runtime/store/store_fixture.h"

namespace sabir::store {
namespace {

using shm::CellRef;
using shm::EntryRef;
using shm::EntryState;
using Message = shm::RingMessage;

constexpr shm::SlotIndex kSlots = 4;  // processes: 1..kSlots
constexpr uint32_t kCellsPerSlot = 8;
constexpr uint64_t kSharedBytes = 16 << 10;
constexpr uint64_t kCapacityBytes = 400 << 10;

struct RefLess {
  bool operator()(const EntryRef& a, const EntryRef& b) const {
    return std::pair(a.entry, a.generation) < std::pair(b.entry, b.generation);
  }
};
using Refs = std::set<EntryRef, RefLess>;

struct OpenLoan {
  uint64_t offset;
  uint64_t size_bytes;
  uint64_t used_bytes;
};

struct Process {
  ProcessId id;
  bool live = true;
  bool told_dead = false;    // sabird did process_dead
  bool holds_going = false;  // sabird did release_holds
  std::deque<shm::RingRecord> ring;
  std::vector<EntryRef> free_entries;
  std::map<EntryRef, int, RefLess> holds;
  std::map<EntryRef, int, RefLess> lent_out;  // as arguments: must stay held
  std::vector<OpenLoan> loans;
  std::set<uint64_t> closed_loans;
  bool waits_for_loan = false;

  void write(const Message& message) { ring.push_back(shm::encode(message)); }
  void hold(EntryRef ref) {
    write(Message::hold(ref));
    holds[ref] += 1;
  }
};

enum class CallState { kQueued, kClaimed, kDone };
struct Call {
  shm::SlotIndex submitter;
  ProcessId submitter_id;
  CellRef cell;
  CallState state = CallState::kQueued;
  std::vector<EntryRef> args;
  ProcessId claimer;
  std::vector<EntryRef> results;
  std::optional<EntryRef> escaped;
};

class Model {
 public:
  explicit Model(uint32_t seed) : random_(seed), store_(kCapacityBytes, options()) {
    for (shm::SlotIndex slot = 1; slot <= kSlots; ++slot) {
      start(slot, 1);
    }
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      step();
    }
    wind_up();
  }

 private:
  Ownership::Options options() {
    Ownership::Options options;
    options.owns_cell = [this](ProcessId process, shm::CellIndex cell) {
      return cell / kCellsPerSlot == process.slot && processes_[process.slot].id == process;
    };
    return options;
  }

  uint32_t below(size_t bound) { return static_cast<uint32_t>(random_() % bound); }
  bool chance(int percent) { return below(100) < static_cast<uint32_t>(percent); }

  void start(shm::SlotIndex slot, uint32_t incarnation) {
    processes_[slot] = Process{};
    processes_[slot].id = {slot, incarnation};
    Instructions out;
    shm::EntryIndex first = EntryTable::first_entry(store_.own.lend_batch(processes_[slot].id, out).value());
    for (const WriteEntry& write : only<WriteEntry>(out)) {
      if (write.entry < first + 12) {  // few, so that they are used again and again
        processes_[slot].free_entries.push_back({write.word.generation, write.entry});
      }
    }
    batch_of_[first / shm::kEntriesPerBatch] = processes_[slot].id;
  }

  void step() {
    if (chance(35)) {
      sabird_step();
      return;
    }
    Process& process = processes_[1 + below(kSlots)];
    if (!process.live) {
      return;
    }
    switch (below(14)) {
      case 0:
      case 1:
      case 2:
        return create(process);
      case 3:
      case 4:
        return submit(process);
      case 5:
      case 6:
        return claim(process);
      case 7:
      case 8:
        return work(process);
      case 9:
        return consume(process);
      case 10:
        return escape(process);
      case 11:
      case 12:
        return release(process);
      default:
        if (chance(8)) {
          process.live = false;
        }
        return;
    }
  }

  // --- what processes do ---

  std::optional<EntryRef> any_held(Process& process) {
    if (process.holds.empty()) {
      return std::nullopt;
    }
    return std::next(process.holds.begin(), below(process.holds.size()))->first;
  }

  void create(Process& process) {
    if (process.free_entries.empty()) {
      return;
    }
    bool own_loan = chance(30);
    uint64_t size_bytes = own_loan ? kSharedBytes + 1 + below(40000) : 64 + below(3000);
    auto fits = [&](const OpenLoan& loan) {
      return own_loan ? loan.used_bytes == 0 && loan.size_bytes != kSharedBytes && loan.size_bytes >= size_bytes
                      : loan.size_bytes == kSharedBytes && loan.size_bytes - loan.used_bytes >= size_bytes;
    };
    auto loan = std::find_if(process.loans.begin(), process.loans.end(), fits);
    if (loan == process.loans.end()) {
      if (!own_loan) {  // full: close it
        std::erase_if(process.loans, [&](const OpenLoan& full) {
          if (full.size_bytes != kSharedBytes) {
            return false;
          }
          process.write(Message::close_loan(full.offset));
          process.closed_loans.insert(full.offset);
          return true;
        });
      }
      if (!process.waits_for_loan) {
        process.waits_for_loan = true;
        uint64_t ticket = process.id.pack();
        Instructions out;
        store_.loans.request(ticket, process.id, own_loan ? size_bytes : kSharedBytes, kSecondNs, out);
        obey(out);
      }
      return;
    }
    if (chance(5)) {
      return;  // dies, or thinks better of it, between create and seal
    }
    EntryRef ref = process.free_entries.back();
    process.free_entries.pop_back();
    while (chance(30)) {
      if (std::optional<EntryRef> inner = any_held(process)) {
        process.write(Message::hold_nested(*inner, ref));
        contains_[ref].push_back(*inner);
      }
    }
    process.write(Message::announce(ref, loan->offset + loan->used_bytes, size_bytes, own_loan));
    process.holds[ref] = 1;
    objects_.insert(ref);
    if (own_loan) {
      process.closed_loans.insert(loan->offset);
      process.loans.erase(loan);
    } else {
      loan->used_bytes = std::min(loan->size_bytes, (loan->used_bytes + size_bytes + 63) / 64 * 64);
    }
  }

  void submit(Process& process) {
    shm::CellIndex cell = process.id.slot * kCellsPerSlot + below(kCellsPerSlot);
    bool busy = std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) { return call.cell.cell == cell; });
    if (busy) {
      return;
    }
    Call call;
    call.submitter = process.id.slot;
    call.submitter_id = process.id;
    call.cell = {++cell_generation_[cell], cell};
    while (chance(60)) {
      if (std::optional<EntryRef> arg = any_held(process)) {
        call.args.push_back(*arg);
        process.lent_out[*arg] += 1;  // H2: under its own hold
      }
    }
    calls_.push_back(call);
  }

  void claim(Process& process) {
    for (Call& call : calls_) {
      if (call.state == CallState::kQueued && call.submitter != process.id.slot && chance(50)) {
        call.state = CallState::kClaimed;
        call.claimer = process.id;
        return;
      }
    }
  }

  Call* any_call(const std::function<bool(const Call&)>& wanted) {
    std::vector<Call*> found;
    for (Call& call : calls_) {
      if (wanted(call)) {
        found.push_back(&call);
      }
    }
    return found.empty() ? nullptr : found[below(found.size())];
  }

  void work(Process& process) {
    Call* call = any_call([&](const Call& c) { return c.state == CallState::kClaimed && c.claimer == process.id; });
    if (call == nullptr) {
      return;
    }
    if (chance(40) && !call->args.empty()) {
      process.hold(call->args[below(call->args.size())]);  // keeps a reference: HOLD before DONE
    }
    if (chance(50)) {
      // A value that contains itself would never go: cycles are not collected.
      std::optional<EntryRef> result = any_held(process);
      if (result && !(call->escaped && closure({*result}, true).contains(*call->escaped))) {
        process.write(Message::hold_cell(*result, call->cell));
        call->results.push_back(*result);
      }
    }
    if (chance(60)) {
      call->state = CallState::kDone;
    }
  }

  void end_call(const Call& call) {
    Process& submitter = processes_[call.submitter];
    if (submitter.id == call.submitter_id) {
      for (EntryRef arg : call.args) {
        if (--submitter.lent_out[arg] == 0) {
          submitter.lent_out.erase(arg);
        }
      }
    }
    std::erase_if(calls_, [&](const Call& other) { return other.cell == call.cell; });
  }

  void consume(Process& process) {
    Call* found = any_call([&](const Call& c) { return c.state == CallState::kDone && c.submitter_id == process.id; });
    if (found == nullptr) {
      return;
    }
    Call call = *found;
    for (EntryRef result : call.results) {
      process.hold(result);
    }
    if (call.escaped) {
      auto whole =
          std::find_if(call.results.begin(), call.results.end(), [&](EntryRef ref) { return objects_.contains(ref); });
      std::optional<EntryRef> alias = whole != call.results.end() && chance(50) ? std::optional(*whole) : std::nullopt;
      for (EntryRef result : call.results) {
        if (result != alias) {  // an alias holds what it stands for by itself
          process.write(Message::hold_nested(result, *call.escaped));
        }
        contains_[*call.escaped].push_back(result);
      }
      if (alias) {
        process.write(Message::deliver_object(*call.escaped, *alias));
      } else if (chance(70)) {
        process.write(Message::deliver_block(*call.escaped, 1, 1 + below(500)));
      } else {
        process.write(Message::deliver_null(*call.escaped));
      }
    }
    process.write(Message::drop_cell(call.cell));
    end_call(call);
  }

  void escape(Process& process) {
    Call* call = any_call([&](const Call& c) { return c.submitter_id == process.id && !c.escaped; });
    if (call == nullptr || process.free_entries.empty()) {
      return;
    }
    EntryRef ref = process.free_entries.back();
    process.free_entries.pop_back();
    process.write(Message::escape(ref, call->cell, 0));
    process.holds[ref] = 1;
    call->escaped = ref;
    escapes_.insert(ref);
  }

  void release(Process& process) {
    std::optional<EntryRef> ref = any_held(process);
    if (!ref || (process.holds[*ref] == 1 && process.lent_out.contains(*ref))) {
      return;
    }
    process.write(Message::release(*ref));
    if (--process.holds[*ref] == 0) {
      process.holds.erase(*ref);
    }
  }

  // --- what sabird does ---

  void sabird_step() {
    Instructions out;
    if (!in_round_) {
      in_round_ = true;
      unread_.clear();
      for (shm::SlotIndex slot = 1; slot <= kSlots; ++slot) {
        unread_.push_back(slot);
      }
      std::shuffle(unread_.begin(), unread_.end(), random_);
      store_.own.begin_round();
    } else if (!unread_.empty()) {
      Process& process = processes_[unread_.back()];
      unread_.pop_back();
      for (; !process.ring.empty(); process.ring.pop_front()) {
        store_.own.apply(process.id, process.ring.front(), out);
      }
    } else {
      in_round_ = false;
      store_.own.end_round(out);
      EXPECT_EQ(store_.own.check_invariants(), "");
    }
    obey(out);
    if (!in_round_) {
      look_after_the_dead();
      if (chance(5)) {
        store_.clock.advance_ns(kSecondNs / 2);
        Instructions late;
        store_.loans.tick(late);
        obey(late);
      }
    }
  }

  void look_after_the_dead() {
    for (shm::SlotIndex slot = 1; slot <= kSlots; ++slot) {
      Process& dead = processes_[slot];
      if (dead.live || !dead.ring.empty()) {
        continue;
      }
      Instructions out;
      if (!dead.told_dead) {
        dead.told_dead = true;
        store_.own.process_dead(dead.id, out);
        obey(out);
        repair_calls_claimed_by(dead.id);
      }
      inherit_calls_of(dead);
      bool settled =
          std::none_of(calls_.begin(), calls_.end(), [&](const Call& c) { return c.submitter_id == dead.id; });
      if (settled && !dead.holds_going) {
        dead.holds_going = true;
        Instructions lost;
        store_.own.lose_escapes(dead.id, lost);
        obey(lost);
        store_.own.drop_cells(slot * kCellsPerSlot, kCellsPerSlot);
        store_.own.release_holds(dead.id);
      } else if (settled && store_.own.holds_released(dead.id)) {
        store_.own.memory_reusable(dead.id);
        start(slot, dead.id.incarnation + 1);
      }
    }
  }

  // R1 by each submitter: its claimer is dead.
  void repair_calls_claimed_by(ProcessId dead) {
    std::vector<Call> claimed;
    std::copy_if(calls_.begin(), calls_.end(), std::back_inserter(claimed),
                 [&](const Call& c) { return c.state == CallState::kClaimed && c.claimer == dead; });
    for (const Call& call : claimed) {
      Process& submitter = processes_[call.submitter];
      if (!submitter.live) {
        continue;  // sabird does it as heir
      }
      submitter.write(Message::drop_cell(call.cell));
      if (chance(50)) {
        auto again = std::find_if(calls_.begin(), calls_.end(), [&](const Call& c) { return c.cell == call.cell; });
        again->cell.generation = ++cell_generation_[call.cell.cell];
        again->state = CallState::kQueued;
        again->results.clear();
        if (again->escaped) {
          submitter.write(Message::bind(*again->escaped, again->cell));
        }
      } else {
        if (call.escaped) {
          submitter.write(Message::deliver_lost(*call.escaped));
        }
        end_call(call);
      }
    }
  }

  void inherit_calls_of(Process& dead) {
    std::vector<Call> inherited;
    std::copy_if(calls_.begin(), calls_.end(), std::back_inserter(inherited),
                 [&](const Call& c) { return c.submitter_id == dead.id; });
    for (const Call& call : inherited) {
      std::vector<Ownership::Escape> escapes = store_.own.escapes_of_cell(call.cell);
      bool claimer_dead = call.state == CallState::kClaimed && !is_live(call.claimer);
      Instructions out;
      if (call.state == CallState::kDone) {
        for (const Ownership::Escape& escape : escapes) {
          store_.own.keep_cell_refs(call.cell, escape.entry);
          for (EntryRef result : call.results) {
            contains_[escape.entry].push_back(result);
          }
          if (store_.own.place_value(escape.entry, 1 + below(500), out).ok()) {
            store_.own.finish_value(escape.entry, out);
          }
        }
        end_call(call);
      } else if (claimer_dead || (call.state == CallState::kQueued && escapes.empty())) {
        for (const Ownership::Escape& escape : escapes) {
          store_.own.deliver_lost(escape.entry, out);
        }
        end_call(call);
      }
      obey(out);
    }
  }

  bool is_live(ProcessId id) const { return processes_[id.slot].id == id && processes_[id.slot].live; }

  void give_back(Process& process) {
    std::set<uint64_t> offsets = std::exchange(process.closed_loans, {});
    for (uint64_t offset : offsets) {
      Instructions out;
      Result<void> result = store_.loans.give_back(process.id, offset, out);
      (void)result;
      obey(out);
    }
  }

  void obey(const Instructions& out) {
    for (const Instruction& instruction : out) {
      if (const auto* violation = std::get_if<Violation>(&instruction)) {
        ADD_FAILURE() << "slot " << violation->process.slot << ": " << violation->text;
      } else if (const auto* write = std::get_if<WriteEntry>(&instruction)) {
        on_write(*write);
      } else if (const auto* grant = std::get_if<GrantLoan>(&instruction)) {
        ProcessId id = ProcessId::unpack(grant->ticket);
        Process& process = processes_[id.slot];
        process.waits_for_loan = false;
        process.loans.push_back({grant->offset, grant->size_bytes, 0});
        process.closed_loans.erase(grant->offset);
      } else if (const auto* refuse = std::get_if<RefuseLoan>(&instruction)) {
        processes_[ProcessId::unpack(refuse->ticket).slot].waits_for_loan = false;
      } else if (const auto* collect = std::get_if<CollectFrom>(&instruction)) {
        if (is_live(collect->process)) {
          give_back(processes_[collect->process.slot]);
        }
      } else if (std::holds_alternative<CollectFromAll>(instruction)) {
        for (Process& process : processes_) {
          if (process.live && process.id.slot != 0) {
            give_back(process);
          }
        }
      }
    }
  }

  void on_write(const WriteEntry& write) {
    if (write.word.state != EntryState::kFree) {
      return;
    }
    EntryRef gone = {write.word.generation - 1, write.entry};
    EXPECT_FALSE(readable().contains(gone))
        << "freed under a reader: entry " << gone.entry << " generation " << gone.generation;
    objects_.erase(gone);
    escapes_.erase(gone);
    contains_.erase(gone);
    ProcessId lender = batch_of_[write.entry / shm::kEntriesPerBatch];
    if (is_live(lender)) {
      processes_[lender.slot].free_entries.push_back({write.word.generation, write.entry});
    }
  }

  // What live processes may read now.
  Refs readable() const {
    Refs roots;
    for (const Process& process : processes_) {
      for (const auto& [ref, count] : process.holds) {
        if (process.live) {
          roots.insert(ref);
        }
      }
    }
    for (const Call& call : calls_) {
      bool wanted = is_live(call.submitter_id);
      if (wanted || (call.state == CallState::kClaimed && is_live(call.claimer))) {
        roots.insert(call.args.begin(), call.args.end());
      }
      if (wanted && call.state == CallState::kDone) {
        roots.insert(call.results.begin(), call.results.end());
      }
    }
    return closure(std::move(roots), false);
  }

  // With all that these contain. `some_day`: also what calls under way may yet put into them.
  Refs closure(Refs refs, bool some_day) const {
    std::vector<EntryRef> work(refs.begin(), refs.end());
    auto add = [&](EntryRef ref) {
      if (refs.insert(ref).second) {
        work.push_back(ref);
      }
    };
    while (!work.empty()) {
      EntryRef ref = work.back();
      work.pop_back();
      if (auto inside = contains_.find(ref); inside != contains_.end()) {
        std::for_each(inside->second.begin(), inside->second.end(), add);
      }
      for (const Call& call : calls_) {
        if (call.escaped == ref && (some_day || call.state == CallState::kDone)) {
          std::for_each(call.results.begin(), call.results.end(), add);
        }
      }
    }
    return refs;
  }

  // --- the end ---

  void sabird_rests() {
    for (int i = 0; i < 40 * (kSlots + 2); ++i) {
      sabird_step();
    }
    while (in_round_) {
      sabird_step();
    }
  }

  void wind_up() {
    // Half of the time everybody leaves in order, half of the time some die with their hands full.
    for (Process& process : processes_) {
      process.live = process.live && (process.id.slot == 0 || chance(70));
    }
    for (int round = 0; round < 5; ++round) {
      for (int i = 0; i < 400; ++i) {
        Process& process = processes_[1 + below(kSlots)];
        if (process.live) {
          claim(process);
          work(process);
          consume(process);
          release(process);
        }
      }
      sabird_rests();
    }
    for (Call& call : calls_) {
      call.state = CallState::kDone;
    }
    while (!calls_.empty() && !testing::Test::HasFailure()) {
      for (Process& process : processes_) {
        if (process.live) {
          consume(process);
        }
      }
      sabird_rests();
    }
    store_.clock.advance_ns(10 * kSecondNs);
    Instructions late;
    store_.loans.tick(late);  // nobody gets a loan any more
    obey(late);
    for (Process& process : processes_) {
      for (auto& [ref, count] : process.holds) {
        for (; process.live && count > 0; --count) {
          process.write(Message::release(ref));
        }
      }
      process.holds.clear();
      for (const OpenLoan& loan : process.loans) {
        if (process.live) {
          process.write(Message::close_loan(loan.offset));
          process.closed_loans.insert(loan.offset);
        }
      }
    }
    sabird_rests();
    for (Process& process : processes_) {
      if (process.id.slot != 0) {
        give_back(process);
      }
    }
    sabird_rests();
    EXPECT_EQ(store_.own.objects(), 0U);
    EXPECT_EQ(store_.own.object_bytes(), 0U);
    EXPECT_EQ(store_.loans.usage().used_bytes, 0U) << store_.loans.describe_contents();
    EXPECT_EQ(store_.own.counters().ignored_releases, 0U);
    EXPECT_EQ(store_.own.counters().violations, 0U);
  }

  std::mt19937 random_;
  std::array<Process, kSlots + 1> processes_;
  std::map<uint32_t, ProcessId> batch_of_;
  std::map<shm::CellIndex, uint64_t> cell_generation_;
  std::deque<Call> calls_;
  Refs objects_;
  Refs escapes_;
  std::map<EntryRef, std::vector<EntryRef>, RefLess> contains_;
  bool in_round_ = false;
  std::vector<shm::SlotIndex> unread_;
  Store store_;
};

TEST(StoreModelTest, NothingReadableIsFreedAndNothingIsLeft) {
  const char* chosen = std::getenv("SABIR_TEST_SEED");
  uint32_t first =
      chosen != nullptr ? static_cast<uint32_t>(std::strtoul(chosen, nullptr, 10)) : std::random_device()();
  uint32_t count = chosen != nullptr ? 1 : 150;
  for (uint32_t seed = first; seed != first + count; ++seed) {
    SCOPED_TRACE("SABIR_TEST_SEED=" + std::to_string(seed));
    Model(seed).run(1500);
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace sabir::store
