// What the machines decided, done.
#include <cstring>

#include "runtime/base/overloaded.h"
#include "runtime/client/error_value.h"
#include "runtime/client/value_format.h"
#include "runtime/node/node_manager.h"
#include "runtime/shm/stack.h"
#include "runtime/shm/work_queue.h"

namespace sabir::node {

void NodeManager::carry_out(const Instruction& instruction) {
  std::visit(
      Overloaded{
          [&](const GrantLease& lease) { directory_.grant(lease); },
          [&](const WithdrawLease& lease) { directory_.withdraw(lease.slot); },
          [&](const UnlistWorker& worker) { directory_.unlist_worker(worker.slot, worker.class_index); },
          [&](const RingWorker& worker) { processes_.ring(worker.slot); },
          [&](const ClearLease& lease) { directory_.clear_lease(lease.slot); },
          [&](const FailClass& failure) { fail_class(failure); },
          [&](const MarkInfeasible& mark) {
            directory_.set_starved(mark.class_index, mark.infeasible);
            if (mark.infeasible && !cluster_) {  // other nodes may serve it
              for (const Scheduler::ClassView& view : coordinator_.scheduler().classes()) {
                if (view.class_index == mark.class_index) {
                  warn_job(view.job, mark.text);
                }
              }
            }
          },
          [&](const FreeClass& gone) {
            directory_.free_class(gone.class_index);
            warned_.erase(gone.class_index);
          },
          [&](const LaunchWorker& launch) { launcher_->launch(launch); },
          [&](const AbortLaunch& launch) { launcher_->abort(launch.launch, "it did not join the session in time"); },
          [&](const KillWorker& worker) {
            if (Process* process = processes_.at(worker.slot)) {
              kill(*process, worker.reason, worker.text);
            }
          },
          [&](const ExitWorker& worker) {
            Process* process = processes_.at(worker.slot);
            if (process != nullptr && process->notices) {
              process->notices->exit(worker.text);
            } else if (process != nullptr) {
              kill(*process, shm::DeathReason::kKilledByNode, worker.text);
            }
          },
          [&](const WriteActorWord& word) { write_actor(word); },
          [&](const HoldActorArgs& args) { hold_actor_args(args.actor); },
          [&](const ReleaseActorArgs& args) { objects_->ownership().drop_holder(store::Holder::actor(args.actor)); },
          [&](const OpenStandIn& order) { open_stand_in(order); },
          [&](const FreeActor&) {},
          [&](const WarnJob& warning) {
            if (!cluster_) {  // else the agent warns, when no node at all has what it wants
              warn_job(warning.job, warning.text);
            }
          },
          [&](const auto&) { SABIR_CHECK(false, "an instruction between machines, kind=", instruction.index()); },
      },
      instruction);
}

// sabird claims what waits, as a worker would, and ends it with the error.
void NodeManager::fail_class(const FailClass& failure) {
  std::vector<uint8_t> value =
      client::make_error_value(failure.error.kind(), failure.error.message(), client::kCallAlignment);
  logger_.warning("calls fail: ", failure.error.to_string());
  for (shm::QueueIndex queue : directory_.queues(failure.class_index)) {
    shm::QueueClaimer claimer(segments_.calls.queue(queue), segments_.calls, 0);
    store::ProcessId submitter = directory_.queue_owner(queue);
    for (std::optional<shm::CellRef> ref = claimer.claim(); ref; ref = claimer.claim()) {
      if (!lends_.owns_cell(submitter, ref->cell)) {
        continue;  // not what a submitter puts there (T4): the record is lost, its owner is not
      }
      shm::Cell& cell = segments_.calls.cell(ref->cell);
      uint32_t block = blocks_.allocate(value.size());
      if (block == shm::kNoBlock) {
        if (Result<uint32_t> chunk = lends_.lend_blocks_to_node(); chunk.ok()) {
          blocks_.add_chunk(*chunk);
          block = blocks_.allocate(value.size());
        }
      }
      cell.result_is_error = 1;
      cell.result_has_refs = 0;
      cell.result_bytes = 0;
      cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kNone);
      if (block != shm::kNoBlock) {
        std::memcpy(blocks_.data(block), value.data(), value.size());
        cell.result_block = block;
        cell.result_bytes = static_cast<uint32_t>(value.size());
        cell.result_place = static_cast<uint8_t>(shm::ResultPlace::kBlock);
      }
      shm::finish_cell(cell, ref->generation, 0);
      shm::reply_stack(segments_.calls, submitter.slot).push(ref->cell);
    }
    if (processes_.find({submitter.slot, submitter.incarnation}) != nullptr) {
      processes_.ring(submitter.slot);
    }
  }
}

void NodeManager::write_actor(const WriteActorWord& word) {
  std::optional<Actors::View> view = coordinator_.actors().view(word.actor);
  directory_.write_actor(word, view ? view->spec->job : 0);
  if (view && view->spec->detached && word.word.state == shm::ActorState::kDead) {
    objects_->ownership().unhold(store::Holder::node(), {view->entry_generation, view->entry});
  }
  if (word.word.state == shm::ActorState::kDead) {
    free_names();
    end_kills_of_the_dead();
  }
  // Calls, and perhaps a constructor's caller, wait for this word in any process.
  processes_.ring_all();
}

void NodeManager::hold_actor_args(shm::ActorIndex actor) {
  std::optional<Actors::View> view = coordinator_.actors().view(actor);
  if (!view) {
    return;
  }
  for (const shm::EntryRef& ref : *view->refs) {
    Result<void> held = objects_->ownership().hold(store::Holder::actor(actor), ref);
    if (!held.ok()) {
      // Its worker meets a lost object when it reads the argument, and says so.
      logger_.warning("actor ", actor, ": an argument is gone: ", held.error().to_string());
    }
  }
}

}  // namespace sabir::node
