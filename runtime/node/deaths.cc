#include "runtime/node/deaths.h"

#include <algorithm>

#include "runtime/shm/process_slot.h"
#include "runtime/shm/stack.h"

namespace sabir::node {

Deaths::Deaths(Estate estate, Options options, Events events)
    : estate_(estate), options_(options), events_(std::move(events)), calls_(estate_.segments.calls) {}

void Deaths::welcome(shm::SlotIndex slot) {
  acks_.add(slot, estate_.segments.node.header().death_count.load(std::memory_order_relaxed));
}

void Deaths::publish(const Report& report, const std::function<void()>& decide) {
  shm::SessionSegments& segments = estate_.segments;
  // (1) Nobody gets a call into its inbox any more.
  shm::inbox(segments.calls, report.slot).close();
  // (2) What it had of this node's CPUs.
  estate_.directory.clear_lease(report.slot);
  shm::sweep_spin_tokens(segments.calls.header(), report.slot);
  std::unique_ptr<Process> process = estate_.processes.take_out(report.slot);
  store::ProcessId id = process->id();
  // D5, as far as it must come before (3): who has acknowledged this death may still look into its queues, so nothing
  // may be left there that is not meant to run. Its ring comes first, since it says what escaped.
  estate_.objects.cancel_requests(id);
  process->watcher.reset();
  process->pidfd.reset();
  process->notices.reset();
  estate_.objects.rounds(process.get());
  estate_.objects.change([&](store::Ownership& ownership, store::Instructions& out) {
    ownership.process_dead(id, out);
    return true;
  });
  heirs_.push_back(std::make_unique<Heir>(estate_, std::move(process), report.job_over));
  // (3)
  uint64_t position =
      shm::append_death(segments.node.segment(), {report.slot, id.incarnation, report.wait_status, report.reason});
  heirs_.back()->set_log_position(position);
  acks_.died(report.slot, position);
  decide();
  // (4) Also whoever waits for a wake-up that died with its ringer.
  estate_.processes.ring_all();
}

void Deaths::job_ended(JobNumber job) {
  for (const auto& heir : heirs_) {
    if (heir->process().job == job) {
      heir->end_job();
    }
  }
}

void Deaths::look() {
  if (heirs_.empty()) {
    return;
  }
  uint64_t count = estate_.segments.node.header().death_count.load(std::memory_order_relaxed);
  acks_.update_all(calls_, count);
  uint64_t acknowledged = acks_.acknowledged(count);
  reuse_queues(acknowledged);
  for (const auto& heir : heirs_) {
    bool known = heir->log_position() < acknowledged;
    if (heir->settle(known) && known && !heir->memory_is_free()) {
      heir->free_memory();
      acks_.settled(heir->process().key.slot);
    }
  }
  // After all of them: what one of the dead had may be named in the cells of another (a claimer by its slot, a result
  // by its block) until that one is settled, too.
  std::erase_if(heirs_, [&](const auto& heir) {
    bool reusable = heir->memory_is_free() && acks_.reusable(heir->process().key.slot);
    if (reusable) {
      bury(heir->process(), count);
    }
    return reusable;
  });
  press(acknowledged);
}

void Deaths::reuse_queues(uint64_t acknowledged) {
  std::erase_if(closed_queues_, [&](const ClosedQueue& closed) {
    bool reusable = closed.log_position < acknowledged;
    if (reusable) {
      estate_.directory.reuse_queue(closed.index);
    }
    return reusable;
  });
}

void Deaths::bury(const Process& process, uint64_t death_count) {
  for (shm::QueueIndex queue : process.queues) {
    estate_.directory.close_queue(queue);
    events_.queue_closed(queue);
    closed_queues_.push_back({queue, death_count});
  }
  estate_.lends.take_back(process);
  estate_.objects.ownership().memory_reusable(process.id());
  estate_.processes.release(process.key.slot);
  acks_.remove(process.key.slot);
}

void Deaths::press(uint64_t acknowledged) {
  bool too_many =
      heirs_.size() > options_.max_unacknowledged || estate_.processes.free_slots() < options_.min_free_slots;
  if (!too_many) {
    return;
  }
  for (const auto& heir : heirs_) {
    if (heir->log_position() >= acknowledged) {
      if (std::optional<shm::SlotIndex> slot = acks_.laggard(heir->log_position())) {
        events_.unresponsive(*slot);
      }
      return;
    }
  }
}

}  // namespace sabir::node
