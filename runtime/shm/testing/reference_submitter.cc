#include "runtime/shm/testing/reference_submitter.h"

#include <algorithm>

namespace sabir::shm::testing {

Submitter::Submitter(const NodeView& node, const CallsView& calls, Scoreboard& board, const PeerConfig& config)
    : Peer(node, calls, board, config),
      cells_(calls),
      queue_(calls.queue(config.slot), calls),
      ring_(calls.ring(config.slot)),
      in_flight_(config.in_flight),
      cancels_(config.cancels) {
  for (uint32_t chunk : config.cell_chunks) {
    cells_.add_chunk(chunk);
  }
  for (ActorIndex actor : config.actors) {
    senders_.emplace_back().actor = actor;
  }
}

void Submitter::run() {
  while (true) {
    bool moved = drain();
    handle_deaths();
    moved |= submit_some();
    for (Sender& sender : senders_) {
      moved |= push_waiting(sender);
    }
    if (cancels_ && random_below(8) == 0) {
      moved |= cancel_one();
    }
    if (moved) {
      continue;
    }
    bool waiting =
        std::any_of(senders_.begin(), senders_.end(), [](const Sender& sender) { return !sender.waiting.empty(); });
    if (board_.submitters_stopped() && under_way_.empty() && !waiting) {
      break;
    }
    CellStack replies = reply_stack(calls_, self_);
    wait([&] {
      return !replies.empty() || deaths_.moved() || can_push_any() ||
             (board_.submitters_stopped() && under_way_.empty() && !waiting);
    });
  }
  board_.require(cells_.free_count() == cells_.cell_count(), "no cell of a submitter is left");
  board_.require(blocks_.used_count() == 0, "no block of a submitter is left");
}

bool Submitter::submit_some() {
  if (board_.submitters_stopped() || cells_.free_count() == 0) {
    return false;
  }
  size_t total = under_way_.size();
  for (const Sender& sender : senders_) {
    total += sender.waiting.size();
  }
  if (total >= in_flight_) {
    return false;
  }
  Call call;
  call.ticket = board_.next_ticket();
  board_.count_submitted();
  tell_node(RingMessage::hold({1, self_}));
  if (!senders_.empty() && random_below(3) == 0) {
    call.sender = static_cast<int32_t>(random_below(static_cast<uint32_t>(senders_.size())));
    Sender& sender = senders_[static_cast<size_t>(call.sender)];
    call.sequence = sender.next_sequence++;
    sender.waiting.push_back(call);
  } else {
    append_task(call);
  }
  return true;
}

void Submitter::write_cell(Call& call) {
  CellIndex index = cells_.take();
  SABIR_CHECK(index != kNoCell);
  Cell& cell = calls_.cell(index);
  cell.kind = static_cast<uint8_t>(call.sender < 0 ? CallKind::kTask : CallKind::kActorCall);
  cell.call_id = call.ticket;
  cell.parent = call.sequence;
  cell.args_bytes = args_bytes_of(call.ticket);
  uint8_t* args = cell.payload;
  call.args_block = kNoBlock;
  if (cell.args_bytes > kCellInlineBytes) {
    call.args_block = blocks_.allocate(cell.args_bytes);
    SABIR_CHECK(call.args_block != kNoBlock);
    args = blocks_.data(call.args_block);
  }
  cell.args_block = call.args_block;
  fill_bytes(args, cell.args_bytes, call.ticket);
  call.ref = publish_cell(cell, index);
}

void Submitter::append_task(Call call) {
  write_cell(call);
  under_way_[call.ref.cell] = call;
  SABIR_CHECK(queue_.try_append(call.ref));
  ring_a_worker();
}

void Submitter::ring_a_worker() {
  full_fence();
  const ClassRecord& own_class = *node_.find_class(0);
  uint32_t count = std::min(own_class.worker_count.load(), kMaxWorkersPerClass);
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t worker = own_class.workers[i].load();
    if (worker < kMaxProcesses && Doorbell(calls_.page(worker).doorbell).sleeping()) {
      ring_after_push(static_cast<SlotIndex>(worker));
      return;
    }
  }
}

bool Submitter::push_waiting(Sender& sender) {
  bool moved = false;
  while (!sender.waiting.empty() && cells_.free_count() > 0 && sender.in_flight < 16) {
    // Q7: directory, then log, then push.
    ActorWord actor = ActorWord::unpack(node_.find_actor(sender.actor)->word.load());
    if (actor.state != ActorState::kAlive || deaths_.moved()) {
      return moved;
    }
    Call& head = sender.waiting.front();
    if (!sender.head_published) {
      write_cell(head);
      sender.head_published = true;
    }
    head.callee = actor.slot;
    // Before the push: the answer may come before the next line.
    under_way_[head.ref.cell] = head;
    if (!inbox(calls_, actor.slot).push(head.ref.cell)) {
      under_way_.erase(head.ref.cell);
      return moved;
    }
    ring_after_push(actor.slot);
    sender.waiting.pop_front();
    sender.head_published = false;
    ++sender.in_flight;
    moved = true;
  }
  return moved;
}

bool Submitter::can_push_any() {
  return std::any_of(senders_.begin(), senders_.end(), [this](const Sender& sender) {
    ActorWord actor = ActorWord::unpack(node_.find_actor(sender.actor)->word.load());
    return !sender.waiting.empty() && actor.state == ActorState::kAlive && sender.in_flight < 16 &&
           !inbox(calls_, actor.slot).closed();
  });
}

bool Submitter::cancel_one() {
  if (under_way_.empty()) {
    return false;
  }
  auto entry = under_way_.begin();
  Call& call = entry->second;
  if (call.cancelled || !cancel_cell(calls_.cell(call.ref.cell), call.ref.generation)) {
    return false;
  }
  call.cancelled = true;
  if (call.sender >= 0) {
    return true;  // it comes back (Q6)
  }
  Call ended = call;
  under_way_.erase(entry);
  free_cell(calls_.cell(ended.ref.cell));
  cells_.give_back(ended.ref.cell);
  queue_.skip_stale();
  board_.require(board_.runs(ended.ticket) == 0, "a cancelled call does not run");
  end_call(ended);
  return true;
}

bool Submitter::drain() {
  batch_.clear();
  TakeResult taken = reply_stack(calls_, self_).take_all(batch_, cells_.cell_count());
  board_.require(!taken.damaged, "reply chains are whole");
  for (size_t i = 0; i < batch_.size(); ++i) {
    consume(batch_[i]);
  }
  return taken.count != 0;
}

void Submitter::consume(uint32_t index) {
  auto entry = under_way_.find(index);
  if (entry == under_way_.end()) {
    board_.require(false, "nothing comes back twice");
    return;
  }
  Call call = entry->second;
  under_way_.erase(entry);
  Cell& cell = calls_.cell(index);
  CellWord word = load_cell_word(cell);
  board_.require(word.state == CellState::kDone && word.generation == call.ref.generation, "what comes back is done");
  uint32_t result_block = kNoBlock;
  if (call.cancelled) {
    board_.require(board_.runs(call.ticket) == 0, "a cancelled call does not run");
  } else {
    board_.require(board_.runs(call.ticket) == 1, "a finished call ran once");
    uint32_t bytes = cell.result_bytes;
    board_.require(bytes == result_bytes_of(call.ticket), "results keep their size");
    const uint8_t* result = nullptr;
    if (cell.result_place == static_cast<uint8_t>(ResultPlace::kInline)) {
      result = cell.payload + (call.args_block == kNoBlock ? (cell.args_bytes + 7) & ~7u : 0);
    } else if (cell.result_place == static_cast<uint8_t>(ResultPlace::kBlock)) {
      result_block = cell.result_block;
      result = calls_.find_block(result_block, bytes);
    }
    board_.require(bytes == 0 || (result != nullptr && check_bytes(result, bytes, result_seed_of(call.ticket))),
                   "results arrive intact");
  }
  // In this order: a claimer takes back blocks of calls that are not DONE any more when this process dies in between.
  free_cell(cell);
  if (result_block != kNoBlock) {
    return_stack(calls_, node_.block_owner(result_block)).push(result_block);
  }
  cells_.give_back(index);
  if (call.sender >= 0) {
    --senders_[static_cast<size_t>(call.sender)].in_flight;
  }
  end_call(call);
}

void Submitter::end_call(const Call& call) {
  if (call.args_block != kNoBlock) {
    blocks_.free(call.args_block);
  }
  tell_node(RingMessage::release({1, self_}));
  board_.count_ended();
}

void Submitter::handle_deaths() {
  if (!deaths_.moved()) {
    return;
  }
  Death death;
  while (deaths_.next(death) == DeathLogReader::Outcome::kDeath) {
    // R1: drain before scan, else a call is consumed twice.
    drain();
    repair_calls_of(death.slot);
  }
  queue_.skip_stale();
  deaths_.acknowledge();
}

void Submitter::repair_calls_of(SlotIndex dead) {
  std::vector<Call> again;
  std::vector<CellIndex> done;
  for (auto entry = under_way_.begin(); entry != under_way_.end();) {
    Call call = entry->second;
    Cell& cell = calls_.cell(call.ref.cell);
    CellWord word = load_cell_word(cell);
    bool at_dead_actor = call.sender >= 0 && call.callee == dead;
    if (word.claimer == dead && word.state == CellState::kDone) {
      done.push_back(call.ref.cell);
    } else if (word.claimer == dead && repair_cell(cell, word)) {
      call.ticket = board_.next_ticket();  // a new attempt
      board_.count_repaired();
      again.push_back(call);
      entry = under_way_.erase(entry);
      continue;
    } else if (at_dead_actor && recall_cell(cell, call.ref.generation)) {
      board_.require(board_.runs(call.ticket) == 0, "what is still queued did not run");
      again.push_back(call);
      entry = under_way_.erase(entry);
      continue;
    }
    ++entry;
  }
  for (CellIndex index : done) {
    consume(index);
  }
  // Youngest first: each goes before the ones behind it (Q7).
  std::sort(again.begin(), again.end(), [](const Call& a, const Call& b) { return a.sequence > b.sequence; });
  for (Call& call : again) {
    cells_.give_back(call.ref.cell);
    if (call.args_block != kNoBlock) {
      blocks_.free(call.args_block);
      call.args_block = kNoBlock;
    }
    if (call.sender >= 0) {
      Sender& sender = senders_[static_cast<size_t>(call.sender)];
      --sender.in_flight;
      if (call.cancelled) {
        end_call(call);
        continue;
      }
      if (sender.head_published) {
        // It lost its place at the head: its cell was never seen by anybody.
        Call& head = sender.waiting.front();
        recall_cell(calls_.cell(head.ref.cell), head.ref.generation);
        cells_.give_back(head.ref.cell);
        if (head.args_block != kNoBlock) {
          blocks_.free(head.args_block);
          head.args_block = kNoBlock;
        }
        sender.head_published = false;
      }
      sender.waiting.push_front(call);
    } else {
      append_task(call);
    }
  }
}

void Submitter::tell_node(const RingMessage& message) {
  while (!ring_.try_push(message)) {
    daemon_.ring();
    cpu_relax();
  }
  daemon_.ring_unless_watching();
}

}  // namespace sabir::shm::testing
