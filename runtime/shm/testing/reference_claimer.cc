#include "runtime/shm/testing/reference_claimer.h"

namespace sabir::shm::testing {

Claimer::Claimer(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config)
    : Peer(node, calls, board, config),
      result_blocks_(calls, blocks_, config.slot),
      lease_(node, calls.page(config.slot), config.slot) {}

void Claimer::run_worker() {
  while (!board_.all_stopped()) {
    acknowledge_deaths();
    LeaseWord lease = lease_.current();
    if (lease_.owes_answer(lease)) {
      lease_.finish(lease);
      daemon_.ring();
    }
    if (lease_.usable(lease)) {
      if (std::optional<CellRef> ref = claim_from_queues()) {
        execute(*ref);
        continue;
      }
    }
    wait([this] {
      LeaseWord now = lease_.current();
      return board_.all_stopped() || deaths_.moved() || lease_.owes_answer(now) || (lease_.usable(now) && work_waits());
    });
  }
  leave();
}

void Claimer::run_actor() {
  CellStack own_inbox = inbox(calls_, self_);
  while (!board_.all_stopped()) {
    take_inbox();
    acknowledge_deaths();
    wait([&] { return board_.all_stopped() || deaths_.moved() || !own_inbox.empty(); });
  }
  leave();
}

void Claimer::acknowledge_deaths() {
  if (!deaths_.moved()) {
    return;
  }
  Death death;
  while (deaths_.next(death) == DeathLogReader::Outcome::kDeath) {
    result_blocks_.repair(death.slot);
  }
  // D3: drained once since it knew. A worker's is closed.
  take_inbox();
  deaths_.acknowledge();
}

std::optional<CellRef> Claimer::claim_from_queues() {
  const ClassRecord& own_class = *node_.find_class(0);
  uint32_t count = std::min(own_class.queue_count.load(), kMaxQueuesPerClass);
  uint32_t first = count == 0 ? 0 : random_below(count);
  for (uint32_t i = 0; i < count; ++i) {
    QueueIndex queue = own_class.queues[(first + i) % count].load();
    auto claimer = claimers_.try_emplace(queue, calls_.queue(queue), calls_, self_).first;
    if (std::optional<CellRef> ref = claimer->second.claim()) {
      if (claimer->second.wants_refill()) {
        ring_after_store(static_cast<SlotIndex>(node_.find_queue(queue)->owner_slot.load()));
      }
      return ref;
    }
  }
  return std::nullopt;
}

bool Claimer::work_waits() {
  const ClassRecord& own_class = *node_.find_class(0);
  uint32_t count = std::min(own_class.queue_count.load(), kMaxQueuesPerClass);
  for (uint32_t i = 0; i < count; ++i) {
    if (work_queue_length(calls_.queue(own_class.queues[i].load())) != 0) {
      return true;
    }
  }
  return false;
}

void Claimer::take_inbox() {
  batch_.clear();
  TakeResult taken = inbox(calls_, self_).take_all(batch_, kInboxBound);
  board_.require(!taken.damaged, "inbox chains are whole");
  for (CellIndex index : batch_) {
    InboxClaimResult claim = claim_from_inbox(calls_.cell(index), self_);
    CellRef ref = {claim.generation, index};
    if (claim.outcome == InboxClaim::kClaimed) {
      check_order(ref, calls_.cell(index).parent);
      execute(ref);
    } else if (claim.outcome == InboxClaim::kCancelled) {
      answer(ref);
    } else {
      board_.require(false, "nothing strays into an inbox");
    }
  }
}

void Claimer::check_order(CellRef ref, uint64_t sequence) {
  SlotIndex sender = node_.cell_owner(ref.cell);
  // The sender may be dead, but its slot is not reused before this process acknowledges that.
  uint32_t incarnation = node_.find_process(sender)->incarnation.load();
  LastCall& last = last_calls_[sender];
  board_.require(last.incarnation != incarnation || sequence > last.sequence,
                 "one sender's calls keep their order (Q7)");
  last = {incarnation, sequence};
}

void Claimer::execute(CellRef ref) {
  Cell& cell = calls_.cell(ref.cell);
  uint64_t ticket = cell.call_id;
  board_.ran(ticket);
  board_.require(cell.args_bytes == args_bytes_of(ticket), "arguments keep their size");
  const uint8_t* args =
      cell.args_block == kNoBlock ? cell.payload : calls_.find_block(cell.args_block, cell.args_bytes);
  board_.require(args != nullptr && check_bytes(args, cell.args_bytes, ticket), "arguments stay intact");

  if (ticket % 8 == 0) {
    result_blocks_.reclaim();
  }
  uint32_t inline_args = cell.args_block == kNoBlock ? (cell.args_bytes + 7) & ~7u : 0;
  cell.result_bytes = result_bytes_of(ticket);
  cell.result_block = kNoBlock;
  if (cell.result_bytes == 0) {
    cell.result_place = static_cast<uint8_t>(ResultPlace::kNone);
  } else if (inline_args + cell.result_bytes <= kCellInlineBytes) {
    cell.result_place = static_cast<uint8_t>(ResultPlace::kInline);
    fill_bytes(cell.payload + inline_args, cell.result_bytes, result_seed_of(ticket));
  } else {
    uint32_t unit = blocks_.allocate(cell.result_bytes);
    if (unit == kNoBlock) {
      result_blocks_.reclaim();
      unit = blocks_.allocate(cell.result_bytes);
    }
    SABIR_CHECK(unit != kNoBlock, "used=", blocks_.used_count());
    cell.result_place = static_cast<uint8_t>(ResultPlace::kBlock);
    cell.result_block = unit;
    fill_bytes(blocks_.data(unit), cell.result_bytes, result_seed_of(ticket));
    result_blocks_.hand_out(unit, ref, node_.cell_owner(ref.cell));
  }
  finish_cell(cell, ref.generation, self_);
  answer(ref);
}

void Claimer::answer(CellRef ref) {
  SlotIndex submitter = node_.cell_owner(ref.cell);
  if (reply_stack(calls_, submitter).push(ref.cell)) {
    ring_after_push(submitter);
  }
}

void Claimer::leave() {
  acknowledge_deaths();
  result_blocks_.reclaim();
  board_.require(blocks_.stray_count() == 0, "each result block comes back once");
  board_.require(result_blocks_.out_count() == 0, "all result blocks came back");
  board_.require(blocks_.used_count() == 0, "no block of a claimer is left");
}

}  // namespace sabir::shm::testing
