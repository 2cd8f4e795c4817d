#include "runtime/node/objects.h"

#include <sys/mman.h>

#include <algorithm>

#include "runtime/base/overloaded.h"

namespace sabir::node {
namespace {

// Values that sabird keeps itself (O6) beside what processes may have on loan.
constexpr uint64_t kReserveBytes = 16 << 20;
// Removes need one more round each; a process that writes without end must not keep sabird in here.
constexpr int kMaxRounds = 8;
constexpr int64_t kWarmPauseNs = 20 * kMillisecondNs;

}  // namespace

uint64_t Objects::budget_bytes(uint64_t store_bytes) { return store_bytes + store_bytes / 16 + kReserveBytes; }
uint64_t Objects::segment_bytes(uint64_t store_bytes) { return store::segment_bytes_for(budget_bytes(store_bytes)); }

Objects::Objects(loop::EventLoop& loop, const Clock& clock, shm::SessionSegments& segments, Processes& processes,
                 Lends& lends, Events events)
    : clock_(clock),
      segments_(segments),
      processes_(processes),
      lends_(lends),
      events_(std::move(events)),
      calls_(segments.calls),
      deadline_(loop,
                [this] {
                  store::Instructions out;
                  ledger_->tick(out);
                  carry_out(out);
                  plan();
                }),
      warm_timer_(loop, [this] { warm(); }) {}

Objects::~Objects() {
  ownership_.reset();
  ledger_.reset();
  if (arena_ && std::string_view(arena_->name()) == "jemalloc") {
    // Such an arena is for ever, and with it the memory that it believes to have.
    static_cast<void>(arena_.release());
    static_cast<void>(new shm::Mapping(std::move(mapping_)));
  }
}

Result<std::unique_ptr<Objects>> Objects::create(loop::EventLoop& loop, const Clock& clock,
                                                 shm::SessionSegments& segments, Processes& processes, Lends& lends,
                                                 const Options& options, Events events) {
  std::unique_ptr<Objects> objects(new Objects(loop, clock, segments, processes, lends, std::move(events)));
  SABIR_ASSIGN_OR_RETURN(uint64_t size_bytes, shm::sealed_memfd_size(segments.objects_fd.get(), "objects", false));
  SABIR_ASSIGN_OR_RETURN(objects->mapping_,
                         shm::map_file(segments.objects_fd.get(), size_bytes, PROT_READ | PROT_WRITE));
  void* base = objects->mapping_.address();
  objects->arena_ = options.make_arena ? options.make_arena(base, size_bytes, budget_bytes(options.store_bytes))
                                       : store::make_first_fit_allocator(size_bytes, budget_bytes(options.store_bytes));
  store::LoanLedger::Options ledger_options;
  ledger_options.capacity_bytes = options.store_bytes;
  ledger_options.describe = [&processes](store::ProcessId id) {
    const Process* process = processes.find({id.slot, id.incarnation});
    return process == nullptr ? "a process that is gone"
                              : std::string(process->is_worker() ? "worker " : "driver ") +
                                    std::to_string(process->pid) + " (job " + std::to_string(process->job) + ")";
  };
  objects->ledger_ = std::make_unique<store::LoanLedger>(*objects->arena_, clock, std::move(ledger_options));
  store::Ownership::Options ownership_options;
  ownership_options.owns_cell = [&lends](store::ProcessId id, shm::CellIndex cell) {
    return lends.owns_cell(id, cell);
  };
  ownership_options.owns_block_chunk = [&lends](store::ProcessId id, uint32_t chunk) {
    return lends.owns_block_chunk(id, chunk);
  };
  ownership_options.strict_releases = options.strict_releases;
  objects->ownership_ = std::make_unique<store::Ownership>(*objects->ledger_, std::move(ownership_options));
  objects->warmer_ =
      std::make_unique<store::Warmer>(static_cast<uint8_t*>(base), budget_bytes(options.store_bytes), clock);
  return objects;
}

bool Objects::busy() const { return ownership_->needs_round() || !requests_.empty(); }

void Objects::rounds(Process* dead) {
  for (int i = 0; i < kMaxRounds; ++i) {
    one_round(dead);
    if (!ownership_->needs_round()) {
      break;
    }
  }
  plan();
}

void Objects::one_round(Process* dead) {
  store::Instructions out;
  std::vector<Process*> read;
  if (dead != nullptr) {
    read.push_back(dead);
  }
  processes_.for_each([&](Process& process) { read.push_back(&process); });
  ownership_->begin_round();
  for (Process* process : read) {
    read_ring(*process, out);
  }
  ownership_->end_round(out);
  carry_out(out);
  // After the effects: a producer may reuse what its records named once this has moved (O6).
  for (Process* process : read) {
    process->ring.publish_head();
  }
}

void Objects::read_ring(Process& process, store::Instructions& out) {
  if (process.cut_off) {
    return;
  }
  shm::RingConsumer::Round round = process.ring.begin_round();
  if (round.violation) {
    out.push_back(store::Violation{process.id(), "the end of its ring to the node is out of range"});
    return;
  }
  shm::RingRecord record;
  while (process.ring.next(round, record)) {
    ownership_->apply(process.id(), record, out);
  }
}

void Objects::carry_out(const store::Instructions& instructions) {
  Changes changes;
  auto change = [&changes](store::ProcessId process, rpc::ObjectChange::Kind kind, shm::EntryRef entry) {
    changes[process].push_back({kind, {entry.entry, entry.generation}});
  };
  using Kind = rpc::ObjectChange::Kind;
  for (const store::Instruction& instruction : instructions) {
    std::visit(Overloaded{
                   [&](const store::GrantLoan& grant) {
                     if (auto found = requests_.extract(grant.ticket)) {
                       found.mapped().reply(rpc::LoanInfo{grant.offset, grant.size_bytes, grant.reused});
                     }
                     warmer_->demand(arena_->high_water_bytes());
                   },
                   [&](const store::RefuseLoan& refusal) {
                     if (auto found = requests_.extract(refusal.ticket)) {
                       found.mapped().reply(refusal.error);
                     }
                   },
                   [&](const store::CollectFrom& from) { collect_from(from.process); },
                   [&](const store::CollectFromAll&) {
                     segments_.node.header().store_pressure.fetch_add(1, std::memory_order_release);
                     processes_.for_each([&](Process& process) { collect_from(process.id()); });
                   },
                   [&](const store::WriteEntry& entry) { write_entry(entry); },
                   [&](const store::CopyBlock& copy) { copy_block(copy); },
                   [&](const store::RingProcess& ring) {
                     if (processes_.find({ring.process.slot, ring.process.incarnation}) != nullptr) {
                       processes_.ring(ring.process.slot);
                     }
                   },
                   [&](const store::ActorUnheld& actor) { events_.actor_unheld(actor.actor); },
                   [&](const store::FetchObject& fetch) { change(fetch.process, Kind::kWanted, fetch.entry); },
                   [&](const store::ObjectUnheld& unheld) { change(unheld.process, Kind::kUnheld, unheld.entry); },
                   [&](const store::RemakeObject& remake) { change(remake.process, Kind::kLost, remake.entry); },
                   [&](const store::Violation& violation) { events_.violation(violation.process, violation.text); },
               },
               instruction);
  }
  tell(std::move(changes));
}

void Objects::tell(Changes changes) {
  for (auto& [id, its] : changes) {
    Process* process = processes_.find({id.slot, id.incarnation});
    if (process != nullptr && process->notices) {
      process->notices->objects(std::move(its));
    }
  }
}

void Objects::write_entry(const store::WriteEntry& write) {
  shm::ObjectEntry& entry = segments_.calls.entry(write.entry);
  entry.offset.store(write.offset, std::memory_order_relaxed);
  entry.size_bytes.store(write.size_bytes, std::memory_order_relaxed);
  entry.word.store(write.word.pack(), std::memory_order_release);
}

void Objects::copy_block(const store::CopyBlock& copy) {
  // Ranges were checked by Ownership; a block that does not fit its segment copies nothing, and its reader meets zeros.
  calls_.copy_block(copy.block, at(copy.offset), copy.size_bytes);
}

void Objects::collect_from(store::ProcessId id) {
  Process* process = processes_.find({id.slot, id.incarnation});
  if (process != nullptr && process->notices) {
    process->notices->collect();
  }
}

Result<uint32_t> Objects::lend_entries(Process& process) {
  Result<uint32_t> batch = change(
      [&](store::Ownership& ownership, store::Instructions& out) { return ownership.lend_batch(process.id(), out); });
  if (batch.ok()) {
    lends_.note_entries(process, *batch);
  }
  return batch;
}

void Objects::loan(Process& process, uint64_t size_bytes, int64_t wait_ns, rpc::Reply<rpc::LoanInfo> reply) {
  uint64_t ticket = next_ticket_++;
  requests_[ticket] = {process.id(), std::move(reply)};
  store::Instructions out;
  ledger_->request(ticket, process.id(), size_bytes, wait_ns, out);
  carry_out(out);
  plan();
}

Result<void> Objects::return_loan(Process& process, uint64_t offset) {
  store::Instructions out;
  Result<void> result = ledger_->give_back(process.id(), offset, out);
  carry_out(out);
  plan();
  return result;
}

void Objects::cancel_requests(store::ProcessId process) {
  store::Instructions out;
  for (auto request = requests_.begin(); request != requests_.end();) {
    if (request->second.process == process) {
      ledger_->cancel(request->first, out);
      request = requests_.erase(request);
    } else {
      ++request;
    }
  }
  carry_out(out);
}

void Objects::plan() {
  if (std::optional<int64_t> deadline_ns = ledger_->next_deadline_ns()) {
    deadline_.start_once(std::max(kMillisecondNs, *deadline_ns - clock_.now_ns()));
  } else {
    deadline_.stop();
  }
  if (warmer_->wants_step() && !warm_timer_.active()) {
    warm_timer_.start_once(kWarmPauseNs);
  }
}

void Objects::warm() {
  // A step takes some 5 ms; the pauses leave four fifths of the thread to everybody else.
  store::Warmer::Step step = warmer_->step();
  if (step.more && warmer_->wants_step()) {
    warm_timer_.start_once(kWarmPauseNs);
  }
}

}  // namespace sabir::node
