#include "runtime/shm/testing/reference_node.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "runtime/shm/process_slot.h"
#include "runtime/shm/testing/reference_claimer.h"
#include "runtime/shm/testing/reference_submitter.h"

namespace sabir::shm::testing {
namespace {

constexpr uint32_t kCellChunksEach = 1;
constexpr uint32_t kBlockChunksEach = 5;  // one per size class in use

SessionSegments make_segments() {
  SegmentOptions options;
  options.session_id = IdBits::random();
  options.store_bytes = kHugePageBytes;
  options.cpu_count = 2;
  return SessionSegments::create(options).value();
}

}  // namespace

ReferenceNode::ReferenceNode(const NodeOptions& options)
    : options_(options),
      random_(options.seed),
      board_(Scoreboard::create()),
      segments_(make_segments()),
      event_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      leases_(segments_.node.segment()) {
  segments_.node.header().watching.store(options.watching ? 1 : 0);
  uint32_t count = options.submitters + options.workers + options.actors;
  ClassRecord& own_class = segments_.node.segment().classes[0];
  for (uint32_t i = 0; i < count; ++i) {
    auto& member = *members_.emplace_back(std::make_unique<Member>());
    member.slot = static_cast<SlotIndex>(i + 1);
    if (i < options.submitters) {
      member.role = Role::kSubmitter;
      QueueRecord& queue = segments_.node.segment().queues[member.slot];
      queue.owner_slot.store(member.slot);
      own_class.queues[own_class.queue_count.load()].store(member.slot);
      own_class.queue_count.fetch_add(1);
    } else if (i < options.submitters + options.workers) {
      member.role = Role::kWorker;
      own_class.workers[own_class.worker_count.load()].store(member.slot);
      own_class.worker_count.fetch_add(1);
    } else {
      member.role = Role::kActor;
      member.actor = i;
    }
    member.victim =
        options.kills != 0 && member.role == options.victim && (i == 0 || members_[i - 1]->role != member.role);
  }
  // One set more than there are members: memory changes hands between incarnations.
  cell_chunk_total_ = (count + 1) * kCellChunksEach;
  block_chunk_total_ = (count + 1) * kBlockChunksEach;
  for (uint32_t chunk = 0; chunk < cell_chunk_total_; ++chunk) {
    free_cell_chunks_.insert(chunk);
  }
  for (uint32_t chunk = 0; chunk < block_chunk_total_; ++chunk) {
    free_block_chunks_.insert(chunk);
  }
}

ReferenceNode::~ReferenceNode() {
  for (auto& member : members_) {
    if (member->thread.joinable()) {
      member->thread.join();
    }
    if (member->pid > 0) {
      ::kill(member->pid, SIGKILL);
      ::waitpid(member->pid, nullptr, 0);
    }
  }
}

void ReferenceNode::fail(const std::string& what) {
  if (failure_.empty()) {
    failure_ = what;
  }
}

void ReferenceNode::raise(Member& member) {
  NodeSegment& node = segments_.node.segment();
  uint64_t death_count = node.header.death_count.load();
  prepare_slot(segments_.calls, member.slot, death_count, leases_.word(member.slot).epoch);
  member.ring = std::make_unique<RingConsumer>(segments_.calls.ring(member.slot));
  member.holds = 0;
  ++member.incarnation;
  ProcessRecord& record = node.processes[member.slot];
  record.incarnation.store(member.incarnation);
  record.state.store(static_cast<uint32_t>(ProcessState::kLive));

  PeerConfig config;
  config.slot = member.slot;
  config.incarnation = member.incarnation;
  config.seed = random_();
  config.event_fd = event_fd_.get();
  config.in_flight = options_.in_flight;
  auto lend = [&](uint32_t count, std::set<uint32_t>& from, std::vector<uint32_t>& to, Atomic32* owners) {
    for (uint32_t i = 0; i < count; ++i) {
      // Any of them: what was freed last often comes again, which is the hard case.
      auto chunk = random_() % 2 == 0 ? from.begin() : std::prev(from.end());
      owners[*chunk].store(member.slot);
      to.push_back(*chunk);
      from.erase(chunk);
    }
  };
  lend(kBlockChunksEach, free_block_chunks_, member.block_chunks, node.block_chunk_owner);
  if (member.role == Role::kSubmitter) {
    lend(kCellChunksEach, free_cell_chunks_, member.cell_chunks, node.cell_chunk_owner);
    recycle_work_queue(segments_.calls.queue(member.slot));
    for (auto& other : members_) {
      if (other->role == Role::kActor) {
        config.actors.push_back(other->actor);
      }
    }
  }
  config.cell_chunks = member.cell_chunks;
  config.block_chunks = member.block_chunks;
  if (member.role == Role::kActor) {
    inbox(segments_.calls, member.slot).open();
  }
  FaultPlan plan;
  plan.stall_one_in = options_.stall_one_in;
  plan.seed = random_();
  if (member.victim && kills_done_ < options_.kills) {
    plan.step = options_.step;
    plan.countdown = 1 + static_cast<uint32_t>(random_() % options_.max_countdown);
  }
  acks_.add(member.slot, death_count);
  member.birth_ns = clock_.now_ns();
  start(member, config, plan);
  member.state = State::kLive;
  if (member.role == Role::kWorker) {
    leases_.grant(member.slot, leases_.next_epoch(member.slot), 0, LeaseWriter::kNoQueue, 0);
    Doorbell(segments_.calls.page(member.slot).doorbell).ring_always();
  }
  if (member.role == Role::kActor) {
    node.actors[member.actor].word.store(ActorWord{member.incarnation, ActorState::kAlive, member.slot}.pack());
    ring_everybody();
  }
}

void ReferenceNode::live(const NodeView& node, const CallsView& calls, Role role, const PeerConfig& config) {
  if (role == Role::kSubmitter) {
    Submitter(node, calls, *board_, config).run();
  } else if (role == Role::kWorker) {
    Claimer(node, calls, *board_, config).run_worker();
  } else {
    Claimer(node, calls, *board_, config).run_actor();
  }
}

void ReferenceNode::start(Member& member, const PeerConfig& config, FaultPlan plan) {
  if (options_.threads) {
    member.thread_done.store(false);
    member.thread = std::thread([this, &member, config] {
      live(segments_.node.view(), segments_.calls, member.role, config);
      member.thread_done.store(true);
    });
    return;
  }
  member.pid = ::fork();
  SABIR_CHECK(member.pid >= 0);
  if (member.pid != 0) {
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  {
    // The parent's mappings are not here (T2): map as every process does.
    Result<NodeView> node = NodeView::map(segments_.node_fd.get());
    Result<CallsView> calls = CallsView::map(segments_.calls_fd.get());
    SABIR_CHECK(node.ok() && calls.ok());
    arm(plan);
    live(*node, *calls, member.role, config);
    disarm();
  }
  ::_exit(0);
}

std::optional<int> ReferenceNode::gone(Member& member) {
  if (options_.threads) {
    if (!member.thread_done.load()) {
      return std::nullopt;
    }
    member.thread.join();
    return 0;
  }
  int status = 0;
  if (::waitpid(member.pid, &status, WNOHANG) != member.pid) {
    return std::nullopt;
  }
  member.pid = -1;
  return status;
}

void ReferenceNode::bury(Member& member, int wait_status) {
  ++death_total_;
  bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
  if (killed) {
    kills_done_ += member.victim ? 1 : 0;
    submitter_was_killed_ |= member.role == Role::kSubmitter;
  } else if (wait_status != 0) {
    fail("a peer ended with status " + std::to_string(wait_status));
  }
  member.state = State::kDead;
  if (member.role == Role::kActor) {
    segments_.node.segment().actors[member.actor].word.store(
        ActorWord{member.incarnation, ActorState::kRestarting, 0}.pack());
  }
  inbox(segments_.calls, member.slot).close();  // D2 (1)
  inherit(member);                              // D5, before anybody may acknowledge
  leases_.withdraw(member.slot);                // D2 (2)
  sweep_spin_tokens(segments_.calls.header(), member.slot);
  if (!killed && member.holds != 0) {
    fail("a process left in order and still held something");
  }
  member.holds = 0;
  member.death_position =  // D2 (3)
      append_death(segments_.node.segment(), {member.slot, member.incarnation, wait_status, DeathReason::kExited});
  if (options_.stall_one_in != 0 && random_() % 4 == 0) {
    ::usleep(static_cast<useconds_t>(random_() % 500));  // who reads the log by himself is early
  }
  acks_.died(member.slot, member.death_position);
  ring_everybody();  // D2 (4)
}

void ReferenceNode::inherit(Member& member) {
  read_ring(member, true);
  for (uint32_t chunk : member.cell_chunks) {
    for (uint32_t i = 0; i < kCellsPerChunk; ++i) {
      Cell& cell = segments_.calls.cell(chunk * kCellsPerChunk + i);
      CellWord word = load_cell_word(cell);
      if (word.state == CellState::kQueued) {
        cancel_cell(cell, word.generation);
      }
    }
  }
}

// D4 (1): everybody has acknowledged, so nobody but the node touches the cells of the dead one.
void ReferenceNode::settle(Member& member) {
  UntrustedCalls eyes(segments_.calls);
  for (uint32_t chunk : member.cell_chunks) {
    for (uint32_t i = 0; i < kCellsPerChunk; ++i) {
      CellIndex index = chunk * kCellsPerChunk + i;
      CellCopy copy = eyes.cell(index);
      if (copy.word.state == CellState::kFree) {
        continue;
      }
      if (copy.word.state == CellState::kQueued) {
        fail("a dead submitter's cell is still queued");
      }
      free_cell(segments_.calls.cell(index));
      SlotIndex claimer = segments_.node.view().block_owner(copy.result_block.any());
      if (copy.word.state == CellState::kDone && copy.result_place == static_cast<uint8_t>(ResultPlace::kBlock) &&
          claimer == copy.word.claimer &&
          segments_.calls.find_block(copy.result_block.any(), copy.result_bytes.any()) != nullptr) {
        return_stack(segments_.calls, claimer).push(copy.result_block.any());
      }
    }
  }
  member.state = State::kSettled;
  acks_.settled(member.slot);
}

// D4 (2): nor does an heir of somebody else who knew it.
void ReferenceNode::take_back(Member& member) {
  for (uint32_t chunk : member.cell_chunks) {
    segments_.node.segment().cell_chunk_owner[chunk].store(0);
    free_cell_chunks_.insert(chunk);
  }
  for (uint32_t chunk : member.block_chunks) {
    segments_.node.segment().block_chunk_owner[chunk].store(0);
    free_block_chunks_.insert(chunk);
  }
  member.cell_chunks.clear();
  member.block_chunks.clear();
  acks_.remove(member.slot);
  member.state = State::kEmpty;
}

void ReferenceNode::read_ring(Member& member, bool to_the_end) {
  do {
    RingConsumer::Round round = member.ring->begin_round();
    if (round.violation) {
      fail("a ring's tail is nonsense");
      return;
    }
    RingRecord record;
    bool any = false;
    while (member.ring->next(round, record)) {
      any = true;
      std::optional<RingMessage> message = decode(record);
      if (!message || message->entry != EntryRef{1, member.slot}) {
        fail("a ring's record is nonsense");
        return;
      }
      member.holds += message->op == RingOp::kHold ? 1 : -1;
    }
    member.ring->publish_head();
    to_the_end &= any;
  } while (to_the_end);
}

void ReferenceNode::ring_everybody() {
  for (auto& member : members_) {
    if (member->state == State::kLive) {
      Doorbell(segments_.calls.page(member->slot).doorbell).ring_always();
    }
  }
}

void ReferenceNode::kill_somebody() {
  Member& member = *members_[random_() % members_.size()];
  bool old_enough = clock_.now_ns() - member.birth_ns > 2 * kMillisecondNs;
  if (member.state == State::kLive && member.role != Role::kSubmitter && old_enough && member.pid > 0) {
    ::kill(member.pid, SIGKILL);
  }
}

void ReferenceNode::look() {
  pollfd wait = {event_fd_.get(), POLLIN, 0};
  timespec slice = {0, 300 * kMicrosecondNs};
  ::ppoll(&wait, 1, &slice, nullptr);
  uint64_t rung = 0;
  [[maybe_unused]] ssize_t got = ::read(event_fd_.get(), &rung, sizeof(rung));
  uint64_t death_count = segments_.node.header().death_count.load();
  acks_.update_all(UntrustedCalls(segments_.calls), death_count);
  uint64_t acknowledged = acks_.acknowledged(death_count);
  for (auto& member : members_) {
    if (member->state == State::kLive) {
      read_ring(*member, false);
      if (std::optional<int> status = gone(*member)) {
        bury(*member, *status);
      }
    } else if (member->state == State::kDead && member->death_position < acknowledged) {
      settle(*member);
    } else if (member->state == State::kSettled && acks_.reusable(member->slot)) {
      take_back(*member);
    }
    if (member->state == State::kEmpty && !leaving_) {
      raise(*member);
    }
  }
}

std::string ReferenceNode::run() {
  int64_t begin_ns = clock_.now_ns();
  auto over = [&] { return clock_.now_ns() - begin_ns > options_.limit_ns; };
  auto any_in = [&](auto&& matches) {
    return std::any_of(members_.begin(), members_.end(), [&](auto& member) { return matches(*member); });
  };
  while (failure_.empty() && board_->broken() == nullptr && !over() &&
         (kills_done_ < options_.kills || clock_.now_ns() - begin_ns < options_.run_ns)) {
    look();
    if (options_.kill_claimers_too && kills_done_ < options_.kills) {
      kill_somebody();
    }
  }
  if (board_->broken() != nullptr) {
    fail(std::string("broken promise: ") + board_->broken());
  }
  if (kills_done_ < options_.kills) {
    fail("the step was met " + std::to_string(kills_done_) + " times only");
  }
  // All that died are settled and replaced before anybody leaves: the calls of the living need them.
  while (!over() && any_in([](Member& member) { return member.state != State::kLive; })) {
    look();
  }
  leaving_ = true;
  board_->stop_submitters();
  ring_everybody();
  auto submitters_here = [](Member& member) {
    return member.role == Role::kSubmitter && member.state != State::kEmpty;
  };
  while (!over() && any_in(submitters_here)) {
    look();
  }
  board_->stop_all();
  ring_everybody();
  while (!over() && any_in([](Member& member) { return member.state != State::kEmpty; })) {
    look();
  }
  if (over()) {
    fail("not everybody left in time");
  }
  if (board_->broken() != nullptr) {
    fail(std::string("broken promise: ") + board_->broken());
  }
  if (!submitter_was_killed_ && board_->submitted() != board_->ended()) {
    fail("calls neither done nor ended");
  }
  return failure_.empty() ? check_all_free() : failure_;
}

std::string ReferenceNode::check_all_free() {
  if (free_cell_chunks_.size() != cell_chunk_total_ || free_block_chunks_.size() != block_chunk_total_) {
    return "a chunk is left with somebody";
  }
  for (CellIndex index = 0; index < cell_chunk_total_ * kCellsPerChunk; ++index) {
    if (load_cell_word(segments_.calls.cell(index)).state != CellState::kFree) {
      return "cell " + std::to_string(index) + " is left";
    }
  }
  return {};
}

}  // namespace sabir::shm::testing
